package smtpd.lka.dns;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

class StubResolverTest {

    private static final StubResolver.Patience SHORT =
            new StubResolver.Patience(Duration.ofMillis(300), Duration.ofSeconds(2), 3);

    private final Loop loop = new Loop();
    private final AtomicLong clock = new AtomicLong();
    private final Name name = Name.fromConstantString("www.example.");
    private final Question question = new Question(name, Type.A);

    @AfterEach
    void stop() {
        loop.close();
    }

    @Test
    void silentServerIsReplacedByTheNextAndThenAskedLast() throws IOException {
        try (ScriptedServer silent = new ScriptedServer((query, tcp) -> null);
                ScriptedServer good = new ScriptedServer((query, tcp) -> answer(query, 60))) {
            StubResolver resolver = resolver(silent, good);
            assertThat(ask(resolver, question).status()).isEqualTo(Answer.Status.OK);
            assertThat(silent.queries()).isEqualTo(1);
            ask(resolver, new Question(Name.fromConstantString("other.example."), Type.A));
            assertThat(silent.queries()).isEqualTo(1);
        }
    }

    @Test
    void failureOfEveryServerIsKeptForTenSecondsOnly() throws IOException {
        try (ScriptedServer broken =
                new ScriptedServer((query, tcp) -> ScriptedServer.replyTo(query, Rcode.SERVFAIL))) {
            StubResolver resolver = resolver(broken);
            assertThat(ask(resolver, question).status()).isEqualTo(Answer.Status.FAILED);
            int asked = broken.queries();
            assertThat(asked).isEqualTo(3);
            clock.addAndGet(TimeUnit.SECONDS.toNanos(9));
            ask(resolver, question);
            assertThat(broken.queries()).isEqualTo(asked);
            clock.addAndGet(TimeUnit.SECONDS.toNanos(2));
            ask(resolver, question);
            assertThat(broken.queries()).isEqualTo(2 * asked);
        }
    }

    @Test
    void answerCutShortByUdpIsAskedAgainByTcp() throws IOException {
        try (ScriptedServer server =
                new ScriptedServer(
                        (query, tcp) -> {
                            Message reply =
                                    tcp ? answer(query, 60) : ScriptedServer.replyTo(query, 0);
                            if (!tcp) {
                                reply.getHeader().setFlag(Flags.TC);
                            }
                            return reply;
                        })) {
            assertThat(ask(resolver(server), question).records()).hasSize(1);
            assertThat(server.queries()).isEqualTo(2);
        }
    }

    @Test
    void largeAnswerComesWholeByTcp() throws IOException {
        try (ScriptedServer server =
                new ScriptedServer(
                        (query, tcp) -> {
                            Message reply = ScriptedServer.replyTo(query, 0);
                            if (!tcp) {
                                reply.getHeader().setFlag(Flags.TC);
                                return reply;
                            }
                            for (int i = 0; i < 200; i++) {
                                String text = "v".repeat(200) + i;
                                reply.addRecord(
                                        new TXTRecord(name, DClass.IN, 60, text), Section.ANSWER);
                            }
                            return reply;
                        })) {
            Answer answer = ask(resolver(server), new Question(name, Type.TXT));
            assertThat(answer.records()).hasSize(200);
        }
    }

    @Test
    void serverThatDoesNotKnowEdnsIsAskedWithoutIt() throws IOException {
        try (ScriptedServer old =
                new ScriptedServer(
                        (query, tcp) ->
                                query.getOPT() == null
                                        ? answer(query, 60)
                                        : ScriptedServer.replyTo(query, Rcode.FORMERR))) {
            assertThat(ask(resolver(old), question).status()).isEqualTo(Answer.Status.OK);
        }
    }

    @Test
    void serverThatDoesNotKnowTheTypeIsToldApartFromAFailure() throws IOException {
        try (ScriptedServer old =
                new ScriptedServer((query, tcp) -> ScriptedServer.replyTo(query, Rcode.NOTIMP))) {
            assertThat(ask(resolver(old), question).status())
                    .isEqualTo(Answer.Status.NOT_IMPLEMENTED);
        }
    }

    @Test
    void replyToAnotherQuestionIsNoAnswer() throws IOException {
        try (ScriptedServer liar =
                new ScriptedServer(
                        (query, tcp) -> {
                            Message reply = new Message(query.getHeader().getID());
                            reply.getHeader().setFlag(Flags.QR);
                            Name other = Name.fromConstantString("evil.example.");
                            reply.addRecord(
                                    Record.newRecord(other, Type.A, DClass.IN), Section.QUESTION);
                            reply.addRecord(address(other, 60), Section.ANSWER);
                            return reply;
                        })) {
            assertThat(ask(resolver(liar), question).status()).isEqualTo(Answer.Status.FAILED);
        }
    }

    @Test
    void replyWithAnotherIdIsNoAnswer() throws IOException {
        try (ScriptedServer liar =
                new ScriptedServer(
                        (query, tcp) -> {
                            Message reply = answer(query, 60);
                            reply.getHeader().setID(query.getHeader().getID() ^ 1);
                            return reply;
                        })) {
            assertThat(ask(resolver(liar), question).status()).isEqualTo(Answer.Status.FAILED);
        }
    }

    @Test
    void recordsOfOtherNamesAreNotTaken() throws IOException {
        try (ScriptedServer server =
                new ScriptedServer(
                        (query, tcp) ->
                                ScriptedServer.replyTo(
                                        query,
                                        address(Name.fromConstantString("evil.example."), 60),
                                        address(name, 60)))) {
            assertThat(ask(resolver(server), question).records())
                    .allMatch(record -> record.getName().equals(name));
        }
    }

    @Test
    void garbageIsNoAnswerAndDoesNotHang() throws IOException {
        AtomicInteger turn = new AtomicInteger();
        try (ScriptedServer server =
                new ScriptedServer(
                        (query, tcp) -> {
                            if (turn.incrementAndGet() == 1) {
                                throw new IOException("silent once");
                            }
                            Message reply = new Message(query.getHeader().getID());
                            reply.getHeader().setRcode(Rcode.NXDOMAIN);
                            return reply;
                        })) {
            assertThat(ask(resolver(server), question).status()).isEqualTo(Answer.Status.FAILED);
        }
    }

    @Test
    void portWhereNobodyListensFailsAtOnce() {
        InetSocketAddress nobody = new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
        StubResolver resolver =
                new StubResolver(
                        NameServers.fixed(List.of(nobody)),
                        StubResolver.Patience.DEFAULT,
                        loop.executor(),
                        clock::get,
                        Meter.NONE);
        assertThat(ask(resolver, question).status()).isEqualTo(Answer.Status.FAILED);
    }

    @Test
    void sameQuestionOfManyAskersIsSentOnce() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        try (ScriptedServer slow =
                new ScriptedServer(
                        (query, tcp) -> {
                            try {
                                asked.await();
                            } catch (InterruptedException e) {
                                throw new IOException(e);
                            }
                            return answer(query, 60);
                        })) {
            StubResolver resolver = resolver(slow);
            List<Answer> answers =
                    loop.answer(
                            then -> {
                                List<Answer> all = new ArrayList<>();
                                for (int i = 0; i < 100; i++) {
                                    resolver.ask(
                                            question,
                                            answer -> {
                                                all.add(answer);
                                                if (all.size() == 100) {
                                                    then.accept(all);
                                                }
                                            });
                                }
                                asked.countDown();
                            });
            assertThat(answers).allMatch(a -> a.status() == Answer.Status.OK);
            assertThat(slow.queries()).isEqualTo(1);
        }
    }

    @Test
    void answersAreKeptByTheirTtlWithinBounds() throws IOException {
        assertThat(secondsKept(query -> answer(query, 60))).isBetween(60, 61);
        assertThat(secondsKept(query -> answer(query, 0))).isBetween(5, 6);
        assertThat(secondsKept(query -> answer(query, 86400))).isBetween(3600, 3601);
    }

    @Test
    void negativeAnswersAreKeptByTheSoaButNotForLong() throws IOException {
        assertThat(secondsKept(query -> missing(query, 120, 30))).isBetween(30, 31);
        assertThat(secondsKept(query -> missing(query, 86400, 86400))).isBetween(300, 301);
    }

    @Test
    void cacheIsBounded() {
        AnswerCache cache = new AnswerCache(3, clock::get);
        IntFunction<Question> nth =
                i -> new Question(Name.fromConstantString("n" + i + "."), Type.A);
        for (int i = 0; i < 10; i++) {
            cache.put(nth.apply(i), Answer.empty(Answer.Status.NO_DATA, false, 60));
        }
        assertThat(cache.size()).isEqualTo(3);
        assertThat(cache.get(nth.apply(9))).isNotNull();
        assertThat(cache.get(nth.apply(0))).isNull();
    }

    @Test
    void resolvConfIsReadWithItsCommentsAndDefaults() {
        assertThat(NameServers.parse("# x\nsearch a\nnameserver 192.0.2.53\nnameserver ::1\n"))
                .extracting(a -> a.getAddress().getHostAddress() + " " + a.getPort())
                .containsExactly("192.0.2.53 53", "0:0:0:0:0:0:0:1 53");
        assertThat(NameServers.parse(""))
                .singleElement()
                .matches(a -> a.getAddress().isLoopbackAddress());
    }

    private int secondsKept(java.util.function.Function<Message, Message> script)
            throws IOException {
        try (ScriptedServer server = new ScriptedServer((query, tcp) -> script.apply(query))) {
            StubResolver resolver = resolver(server);
            ask(resolver, question);
            int low = 0;
            int high = 100_000;
            // Each probe starts a fresh entry, so the limit is found by halving.
            while (high - low > 1) {
                int middle = (low + high) / 2;
                loop.answer(
                        then -> {
                            resolver.clear();
                            then.accept(true);
                        });
                ask(resolver, question);
                int before = server.queries();
                clock.addAndGet(TimeUnit.SECONDS.toNanos(middle));
                ask(resolver, question);
                if (server.queries() == before) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            return high;
        }
    }

    private StubResolver resolver(ScriptedServer... servers) {
        List<InetSocketAddress> addresses = new ArrayList<>();
        for (ScriptedServer server : servers) {
            addresses.add(server.address());
        }
        return new StubResolver(
                NameServers.fixed(addresses), SHORT, loop.executor(), clock::get, Meter.NONE);
    }

    private Answer ask(StubResolver resolver, Question asked) {
        return loop.answer(then -> resolver.ask(asked, then));
    }

    private static Message answer(Message query, long ttl) {
        return ScriptedServer.replyTo(query, address(query.getQuestion().getName(), ttl));
    }

    private static ARecord address(Name owner, long ttl) {
        return new ARecord(owner, DClass.IN, ttl, InetAddress.getLoopbackAddress());
    }

    private static Message missing(Message query, long ttl, long minimum) {
        Message reply = ScriptedServer.replyTo(query, Rcode.NXDOMAIN);
        Name zone = Name.fromConstantString("example.");
        reply.addRecord(
                new SOARecord(zone, DClass.IN, ttl, zone, zone, 1, 1, 1, 1, minimum),
                Section.AUTHORITY);
        return reply;
    }
}
