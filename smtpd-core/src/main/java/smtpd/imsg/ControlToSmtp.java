package smtpd.imsg;

/** What control tells smtp alone. */
public sealed interface ControlToSmtp extends ToSmtp
        permits ControlToSmtp.PauseSmtp, ControlToSmtp.ResumeSmtp {

    /** Accept nothing new; running sessions go on. Answered by ControlDone. */
    record PauseSmtp() implements ControlToSmtp {}

    record ResumeSmtp() implements ControlToSmtp {}
}
