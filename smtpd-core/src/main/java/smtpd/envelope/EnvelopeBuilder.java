package smtpd.envelope;

import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import smtpd.mail.MailAddress;

/**
 * Collects the fields of an {@link Envelope}. Names are those of the envelope text; what each means
 * is said there and in {@link DsnFields}, {@link MdaFields}, {@link MtaFields}, {@link
 * BounceFields}. Texts start empty, times at 0, the sender at null, the expiry at its default.
 */
public final class EnvelopeBuilder {
    private int version = 2;
    private String action = "";
    private String tag = "";
    private EnvelopeType type;
    private String smtpname = "";
    private String helo = "";
    private String hostname = "";
    private String username = "";
    private String errorline = "";
    private String sockaddr = "local";
    private MailAddress sender = MailAddress.NULL;
    private MailAddress rcpt;
    private MailAddress dest;
    private long ctime;
    private long lastTry;
    private long lastBounce;
    private Duration expire;
    private int retry;
    private Set<EnvelopeFlag> flags = Set.of();
    private int dsnNotify;
    private DsnReturn dsnRet;
    private String dsnEnvid = "";
    private String dsnOrcpt = "";
    private int escClass;
    private int escCode;
    private MdaMethod mdaMethod;
    private String mdaBuffer = "";
    private boolean mdaRaw;
    private String mdaUser = "";
    private String mdaUsertable = "";
    private String mdaDeliveryUser = "";
    private String mdaExec = "";
    private String mdaSubaddress = "";
    private MailAddress mdaRcptTo;
    private String relay = "";
    private String relayTable = "";
    private String relayAuth = "";
    private String relaySource = "";
    private String relayHelotable = "";
    private String relayCert = "";
    private String relayCa = "";
    private String relayHeloname = "";
    private Set<RelayFlag> relayFlags = Set.of();
    private BounceType bounceType;
    private Duration bounceDelay = Duration.ZERO;
    private Duration bounceExpire = Duration.ZERO;
    private Msgid notice = Msgid.NONE;
    private String remoteMta = "";
    private Set<Need> needs = Set.of();
    private Hold hold;
    private ContentFacts content;
    private List<KeptField> kept = List.of();

    EnvelopeBuilder() {}

    EnvelopeBuilder(Envelope from) {
        version = from.version();
        action = from.action();
        tag = from.tag();
        type = from.type();
        smtpname = from.smtpname();
        helo = from.helo();
        hostname = from.hostname();
        username = from.username();
        errorline = from.errorline();
        sockaddr = from.sockaddr();
        sender = from.sender();
        rcpt = from.rcpt();
        dest = from.dest();
        ctime = from.ctime();
        lastTry = from.lastTry();
        lastBounce = from.lastBounce();
        expire = from.expire();
        retry = from.retry();
        flags = from.flags();
        dsnNotify = from.dsn().notifyBits();
        dsnRet = from.dsn().ret();
        dsnEnvid = from.dsn().envid();
        dsnOrcpt = from.dsn().orcpt();
        escClass = from.dsn().escClass();
        escCode = from.dsn().escCode();
        mdaMethod = from.mda().method();
        mdaBuffer = from.mda().buffer();
        mdaRaw = from.mda().isRaw();
        mdaUser = from.mda().user();
        mdaUsertable = from.mda().usertable();
        mdaDeliveryUser = from.mda().deliveryUser();
        mdaExec = from.mda().exec();
        mdaSubaddress = from.mda().subaddress();
        mdaRcptTo = from.mda().rcptTo();
        relay = from.mta().relay();
        relayTable = from.mta().relayTable();
        relayAuth = from.mta().auth();
        relaySource = from.mta().source();
        relayHelotable = from.mta().helotable();
        relayCert = from.mta().cert();
        relayCa = from.mta().ca();
        relayHeloname = from.mta().heloname();
        relayFlags = from.mta().flags();
        bounceType = from.bounce().type();
        bounceDelay = from.bounce().delay();
        bounceExpire = from.bounce().expire();
        notice = from.bounce().notice();
        remoteMta = from.remoteMta();
        needs = from.needs();
        hold = from.hold();
        content = from.content();
        kept = from.kept();
    }

    public EnvelopeBuilder version(int version) {
        this.version = version;
        return this;
    }

    public EnvelopeBuilder action(String action) {
        this.action = action;
        return this;
    }

    public EnvelopeBuilder tag(String tag) {
        this.tag = tag;
        return this;
    }

    public EnvelopeBuilder type(EnvelopeType type) {
        this.type = type;
        return this;
    }

    public EnvelopeBuilder smtpname(String smtpname) {
        this.smtpname = smtpname;
        return this;
    }

    public EnvelopeBuilder helo(String helo) {
        this.helo = helo;
        return this;
    }

    public EnvelopeBuilder hostname(String hostname) {
        this.hostname = hostname;
        return this;
    }

    public EnvelopeBuilder username(String username) {
        this.username = username;
        return this;
    }

    /**
     * The last failure. Whatever a peer said becomes one line: line ends become blanks, other
     * control bytes {@code ?}, and what is too long is cut and ends in {@code ...}.
     */
    public EnvelopeBuilder errorline(String reply) {
        this.errorline = OneLine.of(reply, EnvelopeText.MAX_ERRORLINE);
        return this;
    }

    public EnvelopeBuilder sockaddr(String sockaddr) {
        this.sockaddr = sockaddr;
        return this;
    }

    /** The reverse-path; {@link MailAddress#NULL} for a notification. */
    public EnvelopeBuilder sender(MailAddress sender) {
        this.sender = sender;
        return this;
    }

    public EnvelopeBuilder rcpt(MailAddress rcpt) {
        this.rcpt = rcpt;
        return this;
    }

    public EnvelopeBuilder dest(MailAddress dest) {
        this.dest = dest;
        return this;
    }

    public EnvelopeBuilder ctime(long ctime) {
        this.ctime = ctime;
        return this;
    }

    public EnvelopeBuilder lastTry(long lastTry) {
        this.lastTry = lastTry;
        return this;
    }

    public EnvelopeBuilder lastBounce(long lastBounce) {
        this.lastBounce = lastBounce;
        return this;
    }

    public EnvelopeBuilder expire(Duration expire) {
        this.expire = expire;
        return this;
    }

    public EnvelopeBuilder retry(int retry) {
        this.retry = retry;
        return this;
    }

    public EnvelopeBuilder flags(Set<EnvelopeFlag> flags) {
        this.flags = flags;
        return this;
    }

    public EnvelopeBuilder flag(EnvelopeFlag flag) {
        flags = plus(flags, flag, EnvelopeFlag.class);
        return this;
    }

    public EnvelopeBuilder dsnNotify(int dsnNotify) {
        this.dsnNotify = dsnNotify;
        return this;
    }

    public EnvelopeBuilder dsnRet(DsnReturn dsnRet) {
        this.dsnRet = dsnRet;
        return this;
    }

    public EnvelopeBuilder dsnEnvid(String dsnEnvid) {
        this.dsnEnvid = dsnEnvid;
        return this;
    }

    public EnvelopeBuilder dsnOrcpt(String dsnOrcpt) {
        this.dsnOrcpt = dsnOrcpt;
        return this;
    }

    public EnvelopeBuilder escClass(int escClass) {
        this.escClass = escClass;
        return this;
    }

    public EnvelopeBuilder escCode(int escCode) {
        this.escCode = escCode;
        return this;
    }

    /**
     * Both numbers from an enhanced status code such as {@code 5.1.1} (RFC 3463). A detail above 9
     * does not fit the text form and is stored as 0, "other or undefined"; the error line has it.
     * Anything else, such as an empty text, takes the status away.
     */
    public EnvelopeBuilder enhancedStatus(String esc) {
        int dot = esc.indexOf('.');
        int second = esc.indexOf('.', dot + 1);
        int subject = number(esc, dot + 1, second);
        int detail = number(esc, second + 1, esc.length());
        if (dot != 1 || esc.charAt(0) < '0' || esc.charAt(0) > '9' || subject < 0 || detail < 0) {
            escClass = 0;
            escCode = 0;
        } else {
            escClass = esc.charAt(0) - '0';
            escCode = (subject > 9 ? 0 : subject) * 10 + (subject > 9 || detail > 9 ? 0 : detail);
        }
        return this;
    }

    private static int number(String text, int from, int to) {
        if (from <= 0 || to <= from || to - from > 3) {
            return -1;
        }
        int n = 0;
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            n = n * 10 + c - '0';
        }
        return n;
    }

    public EnvelopeBuilder mdaMethod(MdaMethod mdaMethod) {
        this.mdaMethod = mdaMethod;
        return this;
    }

    public EnvelopeBuilder mdaBuffer(String mdaBuffer) {
        this.mdaBuffer = mdaBuffer;
        return this;
    }

    public EnvelopeBuilder mdaRaw(boolean mdaRaw) {
        this.mdaRaw = mdaRaw;
        return this;
    }

    public EnvelopeBuilder mdaUser(String mdaUser) {
        this.mdaUser = mdaUser;
        return this;
    }

    public EnvelopeBuilder mdaUsertable(String mdaUsertable) {
        this.mdaUsertable = mdaUsertable;
        return this;
    }

    public EnvelopeBuilder mdaDeliveryUser(String mdaDeliveryUser) {
        this.mdaDeliveryUser = mdaDeliveryUser;
        return this;
    }

    public EnvelopeBuilder mdaExec(String mdaExec) {
        this.mdaExec = mdaExec;
        return this;
    }

    public EnvelopeBuilder mdaSubaddress(String mdaSubaddress) {
        this.mdaSubaddress = mdaSubaddress;
        return this;
    }

    /** Null takes it away. */
    public EnvelopeBuilder mdaRcptTo(MailAddress mdaRcptTo) {
        this.mdaRcptTo = mdaRcptTo;
        return this;
    }

    public EnvelopeBuilder relay(String relay) {
        this.relay = relay;
        return this;
    }

    public EnvelopeBuilder relayTable(String relayTable) {
        this.relayTable = relayTable;
        return this;
    }

    public EnvelopeBuilder relayAuth(String relayAuth) {
        this.relayAuth = relayAuth;
        return this;
    }

    public EnvelopeBuilder relaySource(String relaySource) {
        this.relaySource = relaySource;
        return this;
    }

    public EnvelopeBuilder relayHelotable(String relayHelotable) {
        this.relayHelotable = relayHelotable;
        return this;
    }

    public EnvelopeBuilder relayCert(String relayCert) {
        this.relayCert = relayCert;
        return this;
    }

    public EnvelopeBuilder relayCa(String relayCa) {
        this.relayCa = relayCa;
        return this;
    }

    public EnvelopeBuilder relayHeloname(String relayHeloname) {
        this.relayHeloname = relayHeloname;
        return this;
    }

    public EnvelopeBuilder relayFlags(Set<RelayFlag> relayFlags) {
        this.relayFlags = relayFlags;
        return this;
    }

    public EnvelopeBuilder bounceType(BounceType bounceType) {
        this.bounceType = bounceType;
        return this;
    }

    public EnvelopeBuilder bounceDelay(Duration bounceDelay) {
        this.bounceDelay = bounceDelay;
        return this;
    }

    public EnvelopeBuilder bounceExpire(Duration bounceExpire) {
        this.bounceExpire = bounceExpire;
        return this;
    }

    public EnvelopeBuilder notice(Msgid notice) {
        this.notice = notice;
        return this;
    }

    public EnvelopeBuilder remoteMta(String remoteMta) {
        this.remoteMta = remoteMta;
        return this;
    }

    public EnvelopeBuilder needs(Set<Need> needs) {
        this.needs = needs;
        return this;
    }

    public EnvelopeBuilder need(Need need) {
        needs = plus(needs, need, Need.class);
        return this;
    }

    public EnvelopeBuilder hold(Hold hold) {
        this.hold = hold;
        return this;
    }

    public EnvelopeBuilder content(ContentFacts content) {
        this.content = content;
        return this;
    }

    public EnvelopeBuilder kept(List<KeptField> kept) {
        this.kept = kept;
        return this;
    }

    private static <E extends Enum<E>> Set<E> plus(Set<E> set, E one, Class<E> type) {
        EnumSet<E> more = EnumSet.noneOf(type);
        more.addAll(set);
        more.add(one);
        return more;
    }

    /**
     * @throws IllegalArgumentException for a value that the text form cannot hold
     * @throws NullPointerException without type, rcpt or dest
     */
    public Envelope build() {
        Duration life = expire;
        if (life == null) {
            life = type == EnvelopeType.BOUNCE ? Envelope.BOUNCE_EXPIRE : Envelope.DEFAULT_EXPIRE;
        }
        return new Envelope(
                version,
                action,
                tag,
                type,
                smtpname,
                helo,
                hostname,
                username,
                errorline,
                sockaddr,
                sender,
                Objects.requireNonNull(rcpt, "rcpt"),
                Objects.requireNonNull(dest, "dest"),
                ctime,
                lastTry,
                lastBounce,
                life,
                retry,
                flags,
                dsn(),
                mda(),
                mta(),
                bounce(),
                remoteMta,
                needs,
                hold,
                content,
                kept);
    }

    private DsnFields dsn() {
        boolean none =
                dsnNotify == 0
                        && dsnRet == null
                        && dsnEnvid.isEmpty()
                        && dsnOrcpt.isEmpty()
                        && escClass == 0;
        return none
                ? DsnFields.NONE
                : new DsnFields(dsnNotify, dsnRet, dsnEnvid, dsnOrcpt, escClass, escCode);
    }

    private MdaFields mda() {
        return type != EnvelopeType.MDA
                ? MdaFields.NONE
                : new MdaFields(
                        mdaMethod,
                        mdaBuffer,
                        mdaRaw,
                        mdaUser,
                        mdaUsertable,
                        mdaDeliveryUser,
                        mdaExec,
                        mdaSubaddress,
                        mdaRcptTo);
    }

    private MtaFields mta() {
        return type != EnvelopeType.MTA
                ? MtaFields.NONE
                : new MtaFields(
                        relay,
                        relayTable,
                        relayAuth,
                        relaySource,
                        relayHelotable,
                        relayCert,
                        relayCa,
                        relayHeloname,
                        relayFlags);
    }

    private BounceFields bounce() {
        return type != EnvelopeType.BOUNCE
                ? BounceFields.NONE
                : new BounceFields(bounceType, bounceDelay, bounceExpire, notice);
    }
}
