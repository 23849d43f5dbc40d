package smtpd.mfa;

import smtpd.conf.Config;
import smtpd.imsg.ControlToChild;
import smtpd.imsg.ParentToChild;
import smtpd.imsg.Role;
import smtpd.imsg.ToMfa;
import smtpd.proc.ChildContext;
import smtpd.proc.ChildMain;
import smtpd.proc.ChildProcess;
import smtpd.proc.Frame;

/**
 * The filter process. A configuration names no filter yet, so all it hears is house-keeping: it is
 * ready at once, obeys traces and stops.
 */
public final class MfaProcess extends ChildProcess<ToMfa> {

    public MfaProcess(ChildContext context) {
        super(Role.MFA, ToMfa.class, context);
    }

    public static void main(String[] arguments) {
        ChildMain.run(arguments, MfaProcess::new);
    }

    @Override
    protected void configure(Config config) {}

    @Override
    protected void activate(Config config, Runnable ready) {
        ready.run();
    }

    @Override
    protected void dispatch(Frame frame, ToMfa message) {
        switch (message) {
            case ParentToChild _, ControlToChild _ -> {} // taken out before
        }
    }

    @Override
    protected void stop(long deadlineMillis) {
        finished();
    }
}
