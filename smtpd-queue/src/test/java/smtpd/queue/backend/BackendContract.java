package smtpd.queue.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.queue.backend.QueueBackend.BackendEvents;
import smtpd.queue.backend.QueueBackend.Commit;
import smtpd.queue.backend.QueueBackend.CommitState;
import smtpd.queue.backend.QueueBackend.ContentLoad;
import smtpd.queue.backend.QueueBackend.Entry;
import smtpd.queue.backend.QueueBackend.Load;
import smtpd.queue.backend.QueueBackend.NewContent;
import smtpd.queue.backend.QueueBackend.Restored;
import smtpd.queue.backend.QueueBackend.Stored;
import smtpd.queue.backend.QueueBackend.Text;
import smtpd.sys.Fd;

/** What every backend that stores anything must do; a subclass per backend. */
public abstract class BackendContract {

    protected static final Msgid ID = new Msgid(0xa71c09e2);
    protected QueueBackend queue;
    protected final Map<String, String> unfit = new HashMap<>();
    protected final List<String> problems = Collections.synchronizedList(new ArrayList<>());

    protected final BackendEvents events =
            new BackendEvents() {
                @Override
                public void healthChanged() {}

                @Override
                public void problem(String line) {
                    problems.add(line);
                }
            };

    protected final Fitness fitness = (id, stored) -> unfit.get(id.toString());

    protected abstract QueueBackend open() throws Exception;

    protected abstract long messages();

    protected abstract long envelopes();

    @BeforeEach
    void openIt() throws Exception {
        queue = open();
    }

    @AfterEach
    void closeIt() {
        queue.close();
    }

    protected static <T> T get(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
    }

    protected static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    protected static Evpid evp(Msgid id, int low) {
        return Evpid.of(id, low);
    }

    protected static Text text(Msgid id, int low, String text) {
        return new Text(evp(id, low), bytes(text));
    }

    protected Stored commit(Msgid id, String content, Text... texts) {
        return get(
                queue.commit(
                        new Commit(
                                id,
                                content == null ? null : memory(bytes(content)),
                                List.of(texts),
                                List.of())));
    }

    protected static NewContent memory(byte[] content) {
        byte[] padded = new byte[content.length + 5];
        System.arraycopy(content, 0, padded, 3, content.length);
        return new NewContent.Memory(padded, 3, content.length);
    }

    protected ContentFile.Opened newContent(Msgid id) {
        return (ContentFile.Opened) get(queue.newContent(id));
    }

    protected static NewContent.InFile inFile(ContentFile.Opened file, byte[] announced) {
        long lines = 0;
        for (byte b : announced) {
            lines += b == '\n' ? 1 : 0;
        }
        return new NewContent.InFile(file, announced.length, crc(announced), lines);
    }

    protected String load(Evpid id) {
        return switch (get(queue.load(id))) {
            case Load.Found f -> new String(f.bytes(), StandardCharsets.UTF_8);
            case Load.Absent _ -> "absent";
            case Load.Unreadable _ -> "unreadable";
        };
    }

    protected byte[] content(Msgid id) throws Exception {
        return switch (get(queue.content(id))) {
            case ContentLoad.Bytes b -> b.bytes();
            case ContentLoad.Open o -> {
                try {
                    byte[] first = new byte[10];
                    assertThat(Fd.read(o.fd(), first, 0, 10)).isEqualTo(10);
                    byte[] all = Fd.readAll(o.fd(), 1 << 24);
                    assertThat(Arrays.copyOf(all, 10)).as("offset 0").isEqualTo(first);
                    yield all;
                } finally {
                    Fd.closeQuietly(o.fd());
                }
            }
            case ContentLoad.Absent _ -> null;
            case ContentLoad.Unreadable u -> throw new AssertionError(u.cause());
        };
    }

    protected static byte[] random(int size, long seed) {
        byte[] b = new byte[size];
        new Random(seed).nextBytes(b);
        return b;
    }

    protected static int crc(byte[] b) {
        CRC32C c = new CRC32C();
        c.update(b);
        return (int) c.getValue();
    }

    @Test
    void committedMessageIsLoadedWhole() throws Exception {
        assertThat(queue.isFree(ID)).isTrue();
        assertThat(commit(ID, "content", text(ID, 1, "one"), text(ID, 2, "two")))
                .isEqualTo(new Stored.Ok());
        assertThat(queue.isFree(ID)).isFalse();
        assertThat(load(evp(ID, 1))).isEqualTo("one");
        assertThat(load(evp(ID, 2))).isEqualTo("two");
        assertThat(content(ID)).isEqualTo(bytes("content"));
        assertThat(get(queue.state(ID))).isEqualTo(CommitState.DURABLE);
        assertThat(messages()).isEqualTo(1);
        assertThat(envelopes()).isEqualTo(2);
    }

    @Test
    void nothingOfAnUnknownIdIsThere() throws Exception {
        assertThat(load(evp(ID, 1))).isEqualTo("absent");
        assertThat(content(ID)).isNull();
        assertThat(get(queue.state(ID))).isEqualTo(CommitState.UNKNOWN);
        assertThat(get(queue.update(text(ID, 1, "x")))).isEqualTo(new Stored.Absent());
        assertThat(load(evp(ID, 1))).isEqualTo("absent");
        assertThat(get(queue.delete(List.of(evp(ID, 1))))).isEqualTo(new Stored.Ok());
        assertThat(commit(ID, null, text(ID, 1, "x"))).isEqualTo(new Stored.Absent());
        assertThat(get(queue.discover(ID))).isEmpty();
        assertThat(get(queue.quarantine(evp(ID, 1), "r"))).isEqualTo(new Stored.Absent());
    }

    @Test
    void sameCommitAgainMakesNoSecondMessage() throws Exception {
        commit(ID, "content", text(ID, 1, "one"));
        assertThat(commit(ID, "content", text(ID, 1, "one"))).isEqualTo(new Stored.Ok());
        assertThat(messages()).isEqualTo(1);
        assertThat(envelopes()).isEqualTo(1);
    }

    @Test
    void updateReplacesAndLastDeleteTakesTheContent() throws Exception {
        commit(ID, "content", text(ID, 1, "one"), text(ID, 2, "two"));
        assertThat(get(queue.update(text(ID, 1, "changed")))).isEqualTo(new Stored.Ok());
        assertThat(load(evp(ID, 1))).isEqualTo("changed");
        assertThat(get(queue.update(text(ID, 3, "never made")))).isEqualTo(new Stored.Absent());
        assertThat(get(queue.delete(List.of(evp(ID, 1))))).isEqualTo(new Stored.Ok());
        assertThat(content(ID)).isEqualTo(bytes("content"));
        assertThat(get(queue.delete(List.of(evp(ID, 2), evp(ID, 9))))).isEqualTo(new Stored.Ok());
        assertThat(content(ID)).isNull();
        assertThat(queue.isFree(ID)).isTrue();
        assertThat(messages()).isZero();
        assertThat(envelopes()).isZero();
    }

    @Test
    void bounceIsAddedAndTheOriginalGoesInOneCommit() throws Exception {
        commit(ID, "content", text(ID, 1, "one"), text(ID, 2, "two"));
        Commit bounce =
                new Commit(
                        ID,
                        null,
                        List.of(text(ID, 2, "warned"), text(ID, 7, "bounce")),
                        List.of(evp(ID, 1)));
        assertThat(get(queue.commit(bounce))).isEqualTo(new Stored.Ok());
        assertThat(load(evp(ID, 1))).isEqualTo("absent");
        assertThat(load(evp(ID, 2))).isEqualTo("warned");
        assertThat(load(evp(ID, 7))).isEqualTo("bounce");
        assertThat(envelopes()).isEqualTo(2);
    }

    @Test
    void noticeIsStoredAndBouncesOfAnotherMessageGo() throws Exception {
        Msgid notice = new Msgid(0x5d10c7e9);
        commit(ID, "content", text(ID, 7, "bounce"));
        Commit c =
                new Commit(
                        notice,
                        memory(bytes("report")),
                        List.of(text(notice, 1, "to sender")),
                        List.of(evp(ID, 7)));
        assertThat(get(queue.commit(c))).isEqualTo(new Stored.Ok());
        assertThat(load(evp(notice, 1))).isEqualTo("to sender");
        assertThat(content(ID)).isNull();
        assertThat(messages()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 131_071, 131_072, 131_073, 196_608})
    void contentOfAnySizeComesBackAsBytesOrFile(int size) throws Exception {
        byte[] content = random(size, size);
        Commit c = new Commit(ID, memory(content), List.of(text(ID, 1, "one")), List.of());
        assertThat(get(queue.commit(c))).isEqualTo(new Stored.Ok());
        assertThat(content(ID)).isEqualTo(content);
        boolean isInline = get(queue.content(ID)) instanceof ContentLoad.Bytes;
        assertThat(isInline).isEqualTo(size <= queue.capabilities().maxInline());
        assertThat(queue.capabilities().maxInline()).isGreaterThanOrEqualTo(131_072 + 29);

        Msgid other = new Msgid(0x11111111);
        ContentFile.Opened file = newContent(other);
        Fd.write(file.fd(), content, 0, content.length);
        Fd.close(file.fd());
        c = new Commit(other, inFile(file, content), List.of(text(other, 1, "one")), List.of());
        assertThat(get(queue.commit(c))).isEqualTo(new Stored.Ok());
        assertThat(content(other)).isEqualTo(content);
    }

    @Test
    void writerThatGoesOnAfterTheSumIsRefused() throws Exception {
        for (String announced : List.of("content", "other!!", "content x!", "conten\n")) {
            ContentFile.Opened file = newContent(ID);
            Fd.write(file.fd(), bytes("content x"), 0, 9);
            Commit c =
                    new Commit(
                            ID,
                            inFile(file, bytes(announced)),
                            List.of(text(ID, 1, "one")),
                            List.of());
            assertThat(get(queue.commit(c))).isInstanceOf(Stored.Temporary.class);
            Fd.closeQuietly(file.fd());
            assertThat(queue.isFree(ID)).isTrue();
            assertThat(load(evp(ID, 1))).isEqualTo("absent");
        }
    }

    @Test
    void abortedContentLeavesTheIdFree() throws Exception {
        ContentFile.Opened file = newContent(ID);
        file.handle().abort();
        file.handle().abort();
        Fd.closeQuietly(file.fd());
        assertThat(queue.isFree(ID)).isTrue();
        ContentFile.Opened again = newContent(ID);
        again.handle().abort();
        Fd.closeQuietly(again.fd());
    }

    @Test
    void quarantinedTextIsOutOfServiceAndComesBack() throws Exception {
        commit(ID, "content", text(ID, 1, "one"), text(ID, 2, "two"));
        assertThat(get(queue.quarantine(evp(ID, 1), "bad value in ctime")))
                .isEqualTo(new Stored.Ok());
        assertThat(load(evp(ID, 1))).isEqualTo("absent");
        assertThat(load(evp(ID, 2))).isEqualTo("two");
        unfit.put(evp(ID, 1).toString(), "still bad");
        Restored refused = get(queue.restore(ID));
        assertThat(refused.refused()).containsExactly(evp(ID, 1) + ": still bad");
        unfit.clear();
        Restored back = get(queue.restore(ID));
        assertThat(back.refused()).isEmpty();
        assertThat(back.restored()).isEqualTo(1);
        assertThat(load(evp(ID, 1))).isEqualTo("one");
        assertThat(get(queue.restore(ID)).refused()).isEmpty();
    }

    @Test
    void quarantineOfTheLastTextKeepsTheContentForLater() throws Exception {
        commit(ID, "content", text(ID, 1, "one"), text(ID, 2, "two"));
        assertThat(get(queue.quarantine(Evpid.ofMessage(ID), "torn-unacknowledged")))
                .isEqualTo(new Stored.Ok());
        assertThat(load(evp(ID, 1))).isEqualTo("absent");
        assertThat(content(ID)).isNull();
        assertThat(messages()).isZero();
        assertThat(queue.isFree(ID)).as("an id is not reused while anything is there").isFalse();
        assertThat(get(queue.restore(ID)).restored()).isEqualTo(2);
        assertThat(content(ID)).isEqualTo(bytes("content"));
        assertThat(messages()).isEqualTo(1);
        assertThat(envelopes()).isEqualTo(2);
    }

    @Test
    void discoverListsTheMessage() {
        commit(ID, "content", text(ID, 1, "one"), text(ID, 2, "two"));
        assertThat(get(queue.discover(ID)))
                .extracting(Entry::id)
                .containsExactlyInAnyOrder(evp(ID, 1), evp(ID, 2));
    }

    @Test
    void operationsOnOneMessageTakeEffectInCallOrder() {
        List<CompletableFuture<?>> all = new ArrayList<>();
        all.add(
                queue.commit(
                                new Commit(
                                        ID,
                                        memory(bytes("c")),
                                        List.of(text(ID, 1, "0")),
                                        List.of()))
                        .toCompletableFuture());
        for (int i = 1; i <= 50; i++) {
            all.add(queue.update(text(ID, 1, Integer.toString(i))).toCompletableFuture());
        }
        CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0])).join();
        assertThat(load(evp(ID, 1))).isEqualTo("50");
    }

    @Test
    void afterCloseEverythingIsTemporary() throws Exception {
        commit(ID, "content", text(ID, 1, "one"));
        queue.close();
        assertThat(commit(new Msgid(5), "c", text(new Msgid(5), 1, "x")))
                .isInstanceOf(Stored.Temporary.class);
        assertThat(get(queue.update(text(ID, 1, "x")))).isInstanceOf(Stored.Temporary.class);
        assertThat(get(queue.delete(List.of(evp(ID, 1))))).isInstanceOf(Stored.Temporary.class);
        assertThat(load(evp(ID, 1))).isEqualTo("unreadable");
        assertThat(get(queue.content(ID))).isInstanceOf(ContentLoad.Unreadable.class);
        get(queue.settle(Duration.ofSeconds(1)));
    }

    /** What the storage should hold, kept beside it. */
    private static final class Model {
        private final Map<Msgid, String> contents = new HashMap<>();
        private final Map<Msgid, TreeMap<Evpid, String>> texts = new HashMap<>();

        void remove(Evpid id) {
            TreeMap<Evpid, String> m = texts.get(id.msgid());
            if (m != null && m.remove(id) != null && m.isEmpty()) {
                texts.remove(id.msgid());
                contents.remove(id.msgid());
            }
        }
    }

    @Test
    void randomOperationsAgreeWithTheModel() throws Exception {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        Model model = new Model();
        for (int step = 0; step < 600; step++) {
            Msgid id = new Msgid((random.nextInt(6) + 1) * 0x2a000001);
            Evpid evp = evp(id, random.nextInt(4) + 1);
            String value = "v" + step;
            boolean exists = model.texts.containsKey(id);
            switch (random.nextInt(5)) {
                case 0 -> {
                    if (!exists) {
                        commit(id, "content " + value, new Text(evp, bytes(value)));
                        model.contents.put(id, "content " + value);
                        model.texts.put(id, new TreeMap<>(Map.of(evp, value)));
                    }
                }
                case 1 -> {
                    Evpid gone = evp(new Msgid((random.nextInt(6) + 1) * 0x2a000001), 2);
                    Text added = new Text(evp, bytes(value));
                    Commit c = new Commit(id, null, List.of(added), List.of(gone));
                    boolean isOk = get(queue.commit(c)) instanceof Stored.Ok;
                    assertThat(isOk).as("seed %s step %s", seed, step).isEqualTo(exists);
                    if (exists) {
                        model.texts.get(id).put(evp, value);
                        model.remove(gone);
                    }
                }
                case 2 -> {
                    boolean has = exists && model.texts.get(id).containsKey(evp);
                    Stored s = get(queue.update(new Text(evp, bytes(value))));
                    assertThat(s).isEqualTo(has ? new Stored.Ok() : new Stored.Absent());
                    if (has) {
                        model.texts.get(id).put(evp, value);
                    }
                }
                case 3 -> {
                    get(queue.delete(List.of(evp)));
                    model.remove(evp);
                }
                default -> {
                    String is = load(evp);
                    String want =
                            exists ? model.texts.get(id).getOrDefault(evp, "absent") : "absent";
                    assertThat(is).as("seed %s step %s", seed, step).isEqualTo(want);
                }
            }
            long envelopes = model.texts.values().stream().mapToLong(TreeMap::size).sum();
            assertThat(envelopes()).as("seed %s step %s", seed, step).isEqualTo(envelopes);
            assertThat(messages()).isEqualTo(model.texts.size());
        }
        for (Msgid id : model.contents.keySet()) {
            assertThat(content(id)).isEqualTo(bytes(model.contents.get(id)));
            List<Evpid> all = get(queue.discover(id)).stream().map(Entry::id).sorted().toList();
            assertThat(all).containsExactlyElementsOf(model.texts.get(id).keySet());
        }
        model.texts.values().forEach(m -> get(queue.delete(List.copyOf(m.keySet()))));
        assertThat(envelopes()).isZero();
        assertThat(messages()).isZero();
        everythingIsGone();
    }

    /** A backend that can look behind its own curtain does so. */
    protected void everythingIsGone() throws Exception {}
}
