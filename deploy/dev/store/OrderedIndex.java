// A non-unique index, which mongo-java-server does not have: it accepts one and scans.
// Held in memory for both backends and filled again when a collection is opened.
//
// An entry's key is the document's values at the index's keys, then its _id; entries are kept in
// that order. A filter is served when it fixes the first keys and perhaps bounds the next one
// ({tenant, state}, {alarm_at: {$lte: now}}). The positions found are a superset: whoever asks
// still matches the whole filter.

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.backend.ValueComparator;
import de.bwaldvogel.mongo.bson.BsonRegularExpression;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.bson.MaxKey;

final class OrderedIndex<P> extends Index<P> {
    private static final Set<String> LOWER = Set.of("$eq", "$gt", "$gte");
    private static final Set<String> UPPER = Set.of("$eq", "$lt", "$lte");

    private final ConcurrentNavigableMap<List<Object>, P> entries =
        new ConcurrentSkipListMap<>(OrderedIndex::compare);
    // A document with an array at one of the keys would need an entry per element. Nothing here
    // does that, so the index steps aside for good.
    private volatile boolean usable = true;
    private final List<String> names = keys(); // which makes a new list each time

    OrderedIndex(String name, List<IndexKey> keys) {
        // "sparse", because documents without the first key have no entry.
        super(name, keys, true);
    }

    // A unique index of several keys is a hash table there: it knows no ranges and no order, so an
    // ordered one stands beside it.
    static boolean isWanted(Index<?> index) {
        return index.isUnique() && index.getKeys().size() > 1;
    }

    // What a filter and an order have to do with this index.
    final class Plan {
        private final List<Object> from = new ArrayList<>();
        private final List<Object> to = new ArrayList<>();
        private boolean sorted;
        private boolean descending;
        private int worth;

        int worth() {
            return worth;
        }

        boolean sorted() {
            return sorted;
        }

        Iterable<P> positions() {
            if (compare(from, to) > 0) { // {$gt: 5, $lt: 3}
                return List.of();
            }
            ConcurrentNavigableMap<List<Object>, P> range = entries.subMap(from, true, to, true);
            return (descending ? range.descendingMap() : range).values();
        }
    }

    Plan plan(Document filter, Document order) {
        Plan plan = new Plan();
        int fixed = 0;
        while (usable && fixed < names.size() && isPlain(filter.get(names.get(fixed)))) {
            plan.from.add(filter.get(names.get(fixed)));
            fixed++;
        }
        plan.to.addAll(plan.from);
        boolean bounded = usable && fixed < names.size() && bound(plan, filter.get(names.get(fixed)));
        plan.to.add(MaxKey.getInstance());
        if (fixed > 0 || bounded) {
            sort(plan, order, fixed);
            plan.worth = 4 * fixed + (bounded ? 2 : 0) + (plan.sorted ? 1 : 0);
        }
        return plan;
    }

    private boolean bound(Plan plan, Object condition) {
        if (!(condition instanceof Document)) {
            return false;
        }
        Document bounds = (Document) condition;
        int fixed = plan.from.size();
        for (String operator : bounds.keySet()) {
            Object value = bounds.get(operator);
            if (LOWER.contains(operator) && isPlain(value)) {
                put(plan.from, fixed, value);
            }
            if (UPPER.contains(operator) && isPlain(value)) {
                put(plan.to, fixed, value);
            }
        }
        return plan.from.size() > fixed || plan.to.size() > fixed;
    }

    private static void put(List<Object> key, int at, Object value) {
        if (key.size() > at) {
            key.set(at, value);
        } else {
            key.add(value);
        }
    }

    // The entries come in the order asked for if it names the keys after the fixed ones, all
    // ascending or all descending. Keys that the filter fixes do not matter.
    private void sort(Plan plan, Document order, int fixed) {
        if (order == null || order.isEmpty()) {
            return;
        }
        List<String> sorted = new ArrayList<>(names);
        sorted.add("_id");
        Set<String> fixedNames = Set.copyOf(sorted.subList(0, fixed));
        int at = fixed;
        double direction = 0;
        for (String name : order.keySet()) {
            if (fixedNames.contains(name)) {
                continue;
            }
            double wanted = order.get(name) instanceof Number ? ((Number) order.get(name)).doubleValue() : 0;
            if (at >= sorted.size() || !sorted.get(at).equals(name) || wanted == 0 || wanted * direction < 0) {
                return;
            }
            direction = wanted;
            at++;
        }
        plan.sorted = true;
        plan.descending = direction < 0;
    }

    // null if the document has no entry.
    private List<Object> keyOf(Document document) {
        List<Object> key = new ArrayList<>(names.size() + 1);
        for (String name : names) {
            Object value = name.indexOf('.') < 0
                ? document.getOrMissing(name) // most are plain, and the general way takes streams and patterns
                : Utils.getSubdocumentValueCollectionAware(document, name);
            if (value instanceof Collection) {
                usable = false;
            }
            key.add(value);
        }
        if (!usable || key.get(0) == null || key.get(0) instanceof Missing) {
            return null;
        }
        key.add(document.get("_id"));
        return key;
    }

    // A value of which one entry is equal: not null (absent is equal to it), no operator, no pattern.
    private static boolean isPlain(Object value) {
        return value != null && !(value instanceof Document) && !(value instanceof Collection)
            && !(value instanceof BsonRegularExpression);
    }

    // As ValueComparator does, which looks at the types first: half of the time of an index.
    private static int compareValues(Object a, Object b) {
        if (a instanceof String && b instanceof String) {
            return ((String) a).compareTo((String) b);
        }
        if (a instanceof Instant && b instanceof Instant) {
            return ((Instant) a).compareTo((Instant) b);
        }
        return ValueComparator.asc().compare(a, b);
    }

    private static int compare(List<Object> a, List<Object> b) {
        for (int i = 0; i < a.size() && i < b.size(); i++) {
            int order = compareValues(a.get(i), b.get(i));
            if (order != 0) {
                return order;
            }
        }
        return Integer.compare(a.size(), b.size());
    }

    @Override
    public void add(Document document, P position, MongoCollection<P> collection) {
        List<Object> key = keyOf(document);
        if (key != null) {
            entries.put(key, position);
        }
    }

    @Override
    public P remove(Document document) {
        List<Object> key = keyOf(document);
        return key == null ? null : entries.remove(key);
    }

    @Override
    public void updateInPlace(Document before, Document after, P position, MongoCollection<P> collection) {
        List<Object> oldKey = keyOf(before);
        List<Object> newKey = keyOf(after);
        if (Objects.equals(oldKey, newKey)) {
            return; // most updates leave most indexes alone
        }
        if (newKey != null) {
            entries.put(newKey, position);
        }
        if (oldKey != null && (newKey == null || compare(oldKey, newKey) != 0)) {
            entries.remove(oldKey);
        }
    }

    @Override
    public long getCount() {
        return entries.size();
    }

    @Override
    public boolean isEmpty() {
        return entries.isEmpty();
    }

    @Override
    public long getDataSize() {
        return getCount();
    }

    @Override
    public void drop() {
        entries.clear();
    }

    @Override
    public void checkAdd(Document document, MongoCollection<P> collection) {
        // nothing to violate
    }

    @Override
    public void checkUpdate(Document before, Document after, MongoCollection<P> collection) {
        // nothing to violate
    }

    // The rest is asked of unique indexes only; see Lookup.

    @Override
    public P getPosition(Document document) {
        return null;
    }

    @Override
    public boolean canHandle(Document filter) {
        return false;
    }

    @Override
    public Iterable<P> getPositions(Document filter) {
        throw new UnsupportedOperationException();
    }
}
