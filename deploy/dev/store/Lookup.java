// Which documents may match a filter, by the best index for it.

import java.util.Collection;
import java.util.List;
import java.util.Set;

import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.bson.Document;

final class Lookup<P> {
    final Iterable<P> positions;
    final boolean sorted; // already in the order asked for
    final Document rest; // what of the filter is still to be matched

    private Lookup(Iterable<P> positions, boolean sorted, Document rest) {
        this.positions = positions;
        this.sorted = sorted;
        this.rest = rest;
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
                return new Lookup<>(index.getPositions(part), false, without(part, filter));
            }
        }
        return best == null ? null : new Lookup<>(best.positions(), best.sorted(), filter);
    }

    // The ids asked for, or null if the filter does not say them.
    static Collection<?> ids(Document filter) {
        Object condition = withoutEq(filter.get("_id"));
        if (condition instanceof Document && ((Document) condition).keySet().equals(Set.of("$in"))) {
            condition = ((Document) condition).get("$in");
        } else if (condition instanceof String) {
            condition = List.of(condition);
        }
        boolean plain = condition instanceof Collection
            && ((Collection<?>) condition).stream().allMatch(String.class::isInstance);
        return plain ? (Collection<?>) condition : null;
    }

    // Who was found by one of many ids need not be compared with all of them.
    private static Document without(Document part, Document filter) {
        if (!part.keySet().equals(Set.of("_id")) || ids(filter) == null) {
            return filter;
        }
        Document rest = filter.clone();
        rest.remove("_id");
        return rest;
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
