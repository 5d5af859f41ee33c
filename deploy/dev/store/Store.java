// The development store: a server that speaks MongoDB's protocol, for tests and demos.
//
//   java Store HOST PORT memory DIRECTORY    fast, forgets everything at exit
//   java Store HOST PORT h2 DIRECTORY        keeps its data in DIRECTORY/store.h2; commits once a second
//
// It is mongo-java-server with four changes. A unique index serves every filter that contains its
// keys (Lookup): the original wants exactly the index's keys, so that the compare-and-swap
// {_id, rev}, which is most of what mediafleet does, would read every document. The other indexes
// work at all (OrderedIndex), beside a unique one of several keys, too. And an update by _id is
// spared comparisons and sizes that the original makes of whole documents (FastCollection, IdIndex),
// and regular expressions for paths that have nothing to match (paths.patch).

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.logging.FileHandler;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.AbstractMongoBackend;
import de.bwaldvogel.mongo.backend.ArrayFilters;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Collection;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.backend.memory.MemoryCollection;
import de.bwaldvogel.mongo.backend.memory.MemoryDatabase;
import de.bwaldvogel.mongo.backend.memory.index.MemoryUniqueIndex;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.oplog.Oplog;

public final class Store {
    private static final int CACHE_MEGABYTES = 256;
    private static final int LOG_BYTES = 4 << 20;
    private static final int LOG_FILES = 2;

    public static void main(String[] args) throws IOException {
        if (args.length != 4) {
            System.err.println("usage: Store HOST PORT memory|h2 DIRECTORY");
            System.exit(64);
        }
        Path directory = Path.of(args[3]);
        logTo(directory.resolve("store.log"));
        AbstractMongoBackend backend = args[2].equals("h2")
            ? new DiskBackend(directory.resolve("store.h2"))
            : new FastBackend();
        MongoServer server = new MongoServer(backend.version(ServerVersion.MONGO_5_0));
        server.bind(args[0], Integer.parseInt(args[1]));
        // SIGTERM: close the clients, then write what is not yet on the disk.
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    }

    private static void logTo(Path file) throws IOException {
        Logger root = Logger.getLogger("");
        for (Handler handler : root.getHandlers()) {
            root.removeHandler(handler);
        }
        Handler handler = new FileHandler(file.toString(), LOG_BYTES, LOG_FILES, true);
        handler.setFormatter(new SimpleFormatter());
        root.addHandler(handler);
        root.setLevel(Level.WARNING);
    }

    private static final class FastBackend extends MemoryBackend {
        @Override
        public MemoryDatabase openOrCreateDatabase(String name) {
            return new FastDatabase(name, getCursorRegistry());
        }
    }

    private static final class FastDatabase extends MemoryDatabase {
        FastDatabase(String name, CursorRegistry cursors) {
            super(name, cursors);
        }

        @Override
        protected MemoryCollection openOrCreateCollection(String name, CollectionOptions options) {
            return new FastCollection(this, name, options, cursorRegistry);
        }

        @Override
        protected Index<Integer> openOrCreateUniqueIndex(String collection, String name, List<IndexKey> keys,
                                                         boolean sparse) {
            return keys.size() == 1 && keys.get(0).getKey().equals("_id")
                ? new IdIndex(name, keys, sparse)
                : super.openOrCreateUniqueIndex(collection, name, keys, sparse);
        }

        @Override
        protected Index<Integer> openOrCreateSecondaryIndex(String collection, String name, List<IndexKey> keys,
                                                            boolean sparse) {
            return new OrderedIndex<>(name, keys);
        }
    }

    // The original compares the _id of the document before and after each update, through streams and
    // copies. No update changes an _id.
    private static final class IdIndex extends MemoryUniqueIndex {
        IdIndex(String name, List<IndexKey> keys, boolean sparse) {
            super(name, keys, sparse);
        }

        @Override
        public void checkUpdate(Document before, Document after, MongoCollection<Integer> collection) {
            // nothing to violate
        }

        @Override
        public void updateInPlace(Document before, Document after, Integer position,
                                  MongoCollection<Integer> collection) {
            // nothing to change
        }

        @Override
        public Integer getPosition(Document document) {
            Object id = document.get("_id");
            return id instanceof String ? getPosition(new KeyValue(id)) : super.getPosition(document);
        }
    }

    private static final class FastCollection extends MemoryCollection {
        FastCollection(MongoDatabase database, String name, CollectionOptions options, CursorRegistry cursors) {
            super(database, name, options, cursors);
        }

        // Only for statistics, and each update would encode the document twice for it.
        @Override
        protected boolean tracksDataSize() {
            return false;
        }

        @Override
        protected QueryResult queryDocuments(Document filter, Document order, int skip, int limit, int batch,
                                             Document fields) {
            Lookup<Integer> found = Lookup.find(getIndexes(), filter, order);
            return found == null
                ? super.queryDocuments(filter, order, skip, limit, batch, fields)
                : matchDocuments(found.rest, found.positions, found.sorted ? null : order, skip, limit, batch, fields);
        }

        // Of many ids one after the other: the original compares each document with all of them, twice.
        @Override
        public synchronized Document updateDocuments(Document filter, Document update, ArrayFilters arrays,
                                                     boolean many, boolean upsert, Oplog oplog) {
            Collection<?> ids = many && !upsert ? Lookup.ids(filter) : null;
            if (ids == null) {
                return super.updateDocuments(filter, update, arrays, many, upsert, oplog);
            }
            int matched = 0;
            int modified = 0;
            Document one = filter.clone();
            for (Object id : new LinkedHashSet<>(ids)) {
                one.put("_id", id);
                Document result = super.updateDocuments(one, update, arrays, true, false, oplog);
                matched += (Integer) result.get("n");
                modified += (Integer) result.get("nModified");
            }
            return new Document("n", matched).append("nModified", modified);
        }

        @Override
        public synchronized int count(Document filter, int skip, int limit) {
            return super.count(filter, skip, limit);
        }

        // The original lets an index come while others go through the list of them.
        @Override
        public synchronized void addIndex(Index<Integer> index) {
            super.addIndex(index);
            if (OrderedIndex.isWanted(index)) {
                super.addIndex(new OrderedIndex<>(index.getName() + "_ordered", index.getKeys()));
            }
        }
    }

    private static final class DiskBackend extends H2Backend {
        DiskBackend(Path file) {
            // Documents out of the cache are read and deserialised again, 30 µs each.
            super(new MVStore.Builder().fileName(file.toString()).cacheSize(CACHE_MEGABYTES).open());
        }

        @Override
        protected MongoDatabase openOrCreateDatabase(String name) {
            return new DiskDatabase(name);
        }

        // An inner class, because the superclass opens its collections in its constructor, when
        // a field of ours would not be set yet; the backend around us is.
        private final class DiskDatabase extends H2Database {
            DiskDatabase(String name) {
                super(name, getMvStore(), getCursorRegistry());
            }

            @Override
            protected MongoCollection<Object> openOrCreateCollection(String name, CollectionOptions options) {
                String full = getFullCollectionNamespace(name);
                // The names of the maps are the superclass's, which drops and renames them.
                MVMap<Object, Document> documents = getMvStore().openMap("databases." + full);
                MVMap<String, Object> meta = getMvStore().openMap("meta." + full);
                return new DiskCollection(this, name, options, documents, meta, cursorRegistry);
            }

            @Override
            protected Index<Object> openOrCreateSecondaryIndex(String collection, String name, List<IndexKey> keys,
                                                               boolean sparse) {
                return new OrderedIndex<>(name, keys);
            }
        }
    }

    private static final class DiskCollection extends H2Collection {
        DiskCollection(MongoDatabase database, String name, CollectionOptions options,
                       MVMap<Object, Document> documents, MVMap<String, Object> meta, CursorRegistry cursors) {
            super(database, name, options, documents, meta, cursors);
        }

        @Override
        protected QueryResult queryDocuments(Document filter, Document order, int skip, int limit, int batch,
                                             Document fields) {
            Lookup<Object> found = Lookup.find(getIndexes(), filter, order);
            return found == null
                ? super.queryDocuments(filter, order, skip, limit, batch, fields)
                : matchDocuments(found.rest, found.positions, found.sorted ? null : order, skip, limit, batch, fields);
        }

        @Override
        public synchronized int count(Document filter, int skip, int limit) {
            return super.count(filter, skip, limit);
        }

        // The original lets an index come while others go through the list of them.
        @Override
        public synchronized void addIndex(Index<Object> index) {
            super.addIndex(index);
            if (OrderedIndex.isWanted(index)) {
                super.addIndex(new OrderedIndex<>(index.getName() + "_ordered", index.getKeys()));
            }
        }
    }

    private Store() {
    }
}
