package smtpd.imsg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.reflect.Constructor;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;
import smtpd.mail.MailAddress;

class VocabularyTest {

    private static final List<Class<?>> RECEIVERS = List.of(Message.class.getPermittedSubclasses());

    @Test
    void everyRecordOfEveryReceiverRoundTrips() throws Exception {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        for (Class<?> receiver : RECEIVERS) {
            Vocabulary words = Vocabulary.of(receiver.asSubclass(Message.class));
            for (Class<?> record : records(receiver)) {
                for (int i = 0; i < 20; i++) {
                    Message message = (Message) random(record, -1, random);
                    ByteBuf out = Unpooled.buffer();
                    int length =
                            words.encode(
                                    out,
                                    message,
                                    FrameHeader.MORE,
                                    7,
                                    42L,
                                    -1,
                                    FrameHeader.CONTENT_CAP);
                    assertThat(out.getInt(0)).isEqualTo(length).isEqualTo(out.readableBytes());
                    int number = out.getUnsignedShort(4);
                    assertThat(out.getInt(8)).isEqualTo(7);
                    assertThat(out.getLong(12)).isEqualTo(42L);
                    out.skipBytes(FrameHeader.SIZE);
                    Message back = words.decode(number, out, length);
                    assertThat(back)
                            .as("seed %d %s", seed, record)
                            .usingRecursiveComparison()
                            .isEqualTo(message);
                }
            }
        }
    }

    @Test
    void anyTruncatedOrFlippedFrameIsABadFrameOrAnotherValidRecord() {
        long seed = Long.getLong("seed", 1);
        Random random = new Random(seed);
        for (Class<?> receiver : RECEIVERS) {
            Vocabulary words = Vocabulary.of(receiver.asSubclass(Message.class));
            for (Class<?> record : records(receiver)) {
                Message message = (Message) random(record, -1, random);
                ByteBuf out = Unpooled.buffer();
                int length = words.encode(out, message, 0, 0, 1L, -1, FrameHeader.CONTENT_CAP);
                int number = out.getUnsignedShort(4);
                for (int cut = FrameHeader.SIZE; cut < length; cut += 1 + length / 50) {
                    ByteBuf part = out.copy(0, cut).skipBytes(FrameHeader.SIZE);
                    int end = cut;
                    assertThatThrownBy(() -> words.decode(number, part, end))
                            .as("seed %d %s cut at %d", seed, record, cut)
                            .isInstanceOf(BadFrame.class);
                }
                for (int i = 0; i < 50 && length > FrameHeader.SIZE; i++) {
                    ByteBuf bad = out.copy();
                    int at = FrameHeader.SIZE + random.nextInt(length - FrameHeader.SIZE);
                    bad.setByte(at, bad.getByte(at) ^ (1 << random.nextInt(8)));
                    bad.skipBytes(FrameHeader.SIZE);
                    try {
                        words.decode(number, bad, length);
                    } catch (BadFrame expected) {
                        assertThat(expected).hasMessageNotContaining("Exception");
                    }
                }
            }
        }
    }

    @Test
    void aListOverItsBoundIsNotSent() {
        List<Evpid> many = new ArrayList<>();
        for (int i = 0; i < 257; i++) {
            many.add(new Evpid(i));
        }
        ByteBuf out = Unpooled.buffer();
        assertThatThrownBy(
                        () ->
                                Vocabulary.of(ToScheduler.class)
                                        .encode(
                                                out,
                                                new QueueToScheduler.Gone(many),
                                                0,
                                                0,
                                                0,
                                                -1,
                                                FrameHeader.CAP))
                .isInstanceOf(UnsendableMessage.class);
        assertThat(out.writerIndex()).isZero();
    }

    @Test
    void envelopesComeFromLkaAlone() {
        Vocabulary queue = Vocabulary.of(ToQueue.class);
        boolean[] smtp = queue.numbersOf(Edges.interfaces(Role.SMTP, Role.QUEUE));
        boolean[] lka = queue.numbersOf(Edges.interfaces(Role.LKA, Role.QUEUE));
        int submit = queue.number(LkaToQueue.EnvelopesSubmit.class);
        assertThat(smtp[submit]).isFalse();
        assertThat(lka[submit]).isTrue();
        assertThat(smtp[queue.number(SmtpToQueue.CommitMessage.class)]).isTrue();
    }

    @Test
    void theHashIsStable() {
        assertThat(Vocabulary.hash()).hasSize(32).isEqualTo(Vocabulary.hash());
    }

    @Test
    void secretsAreNotPrinted() {
        assertThat(Secret.of("hunter2").toString()).doesNotContain("hunter2");
    }

    private static Set<Class<?>> records(Class<?> receiver) {
        Set<Class<?>> found = new LinkedHashSet<>();
        Vocabulary.collect(receiver, found);
        return found;
    }

    private static Object random(Type type, int max, Random random) {
        if (type instanceof ParameterizedType p) {
            List<Object> list = new ArrayList<>();
            for (int i = random.nextInt(4); i > 0; i--) {
                list.add(random(p.getActualTypeArguments()[0], -1, random));
            }
            return list;
        }
        Class<?> c = (Class<?>) type;
        if (c == boolean.class) {
            return random.nextBoolean();
        } else if (c == int.class || c == Integer.class) {
            return random.nextInt();
        } else if (c == long.class || c == Long.class) {
            return random.nextLong();
        } else if (c == String.class) {
            String text =
                    random.nextInt(3) == 0 ? "gr\u00fc\u00dfe\u20ac" : "text" + random.nextInt();
            return max >= 0 && max < 20 ? "FULL" : text;
        } else if (c == byte[].class) {
            byte[] bytes = new byte[random.nextInt(100)];
            random.nextBytes(bytes);
            return bytes;
        } else if (c == Content.class) {
            byte[] bytes = new byte[random.nextInt(2000)];
            random.nextBytes(bytes);
            return Content.of(bytes);
        } else if (c == Secret.class) {
            return Secret.of("s" + random.nextInt());
        } else if (c == Evpid.class) {
            return new Evpid(random.nextLong());
        } else if (c == Msgid.class) {
            return new Msgid(random.nextInt());
        } else if (c == MailAddress.class) {
            return new MailAddress("l" + random.nextInt(), "example.org");
        } else if (c == SocketAddr.class) {
            byte[] ip = new byte[new int[] {0, 4, 16}[random.nextInt(3)]];
            random.nextBytes(ip);
            return new SocketAddr(ip, random.nextInt(65536), 0);
        } else if (c.isEnum()) {
            Object[] constants = c.getEnumConstants();
            return constants[random.nextInt(constants.length)];
        } else if (c.isSealed()) {
            Class<?>[] permitted = c.getPermittedSubclasses();
            return random(permitted[random.nextInt(permitted.length)], -1, random);
        }
        RecordComponent[] components = c.getRecordComponents();
        Object[] values = new Object[components.length];
        for (int i = 0; i < values.length; i++) {
            Max bound = components[i].getAnnotation(Max.class);
            values[i] =
                    random(
                            components[i].getGenericType(),
                            bound == null ? -1 : bound.value(),
                            random);
        }
        try {
            Constructor<?> constructor =
                    c.getDeclaredConstructor(
                            Arrays.stream(components)
                                    .map(RecordComponent::getType)
                                    .toArray(Class<?>[]::new));
            return constructor.newInstance(values);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }
}
