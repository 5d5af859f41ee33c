// Which documents may match a filter, by the best index for it.

import java.util.List;
import java.util.Set;

import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.bson.Document;

final class Lookup<P> {
    final Iterable<P> positions;
    final boolean sorted; // already in the order asked for

    private Lookup(Iterable<P> positions, boolean sorted) {
        this.positions = positions;
        this.sorted = sorted;
    }

    // null if every document has to be read.
    static <P> Lookup<P> find(List<Index<P>> indexes, Document filter, Document order) {
        OrderedIndex<P>.Plan best = null;
        for (Index<P> index : indexes) {
            if (index instanceof OrderedIndex) {
                OrderedIndex<P>.Plan plan = ((OrderedIndex<P>) index).plan(filter, order);
                if (plan.worth() > (best == null ? 0 : best.worth())) {
                    best = plan;
                }
                continue;
            }
            Document part = partFor(index, filter);
            if (part.size() == index.getKeys().size() && index.canHandle(part)) {
                return new Lookup<>(index.getPositions(part), false);
            }
        }
        return best == null ? null : new Lookup<>(best.positions(), best.sorted());
    }

    private static Document partFor(Index<?> index, Document filter) {
        Document part = new Document();
        for (IndexKey key : index.getKeys()) {
            if (filter.containsKey(key.getKey())) {
                part.put(key.getKey(), withoutEq(filter.get(key.getKey())));
            }
        }
        return part;
    }

    private static Object withoutEq(Object condition) {
        if (condition instanceof Document && ((Document) condition).keySet().equals(Set.of("$eq"))) {
            return ((Document) condition).get("$eq");
        }
        return condition;
    }
}
