package smtpd.imsg;

/**
 * Anything that crosses a process edge: an immutable record. What a process must not get does not
 * compile, because the proxy of each edge takes only the interface of that edge; and the reader of
 * an edge refuses the type numbers of all others.
 */
public sealed interface Message
        permits ToParent,
                ToControl,
                ToSmtp,
                ToMfa,
                ToLka,
                ToQueue,
                ToScheduler,
                ToMta,
                ToMda,
                ControlToCtl {}
