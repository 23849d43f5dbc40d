package smtpd.imsg;

/** What mfa hears. The filter phases of smtp join here. */
public sealed interface ToMfa extends Message permits ParentToChild, ControlToChild {}
