//! Every path of the site, and the only judge of where a person may be sent afterwards.

/// The front page.
pub const HOME: &str = "/";
/// Sign-up.
pub const REGISTER: &str = "/register";
/// Code form; with `?token=`, the landing page of a letter's link.
pub const VERIFY_EMAIL: &str = "/verify-email";
/// Another letter.
pub const VERIFY_EMAIL_RESEND: &str = "/verify-email/resend";
/// Sign-in.
pub const LOGIN: &str = "/login";
/// Sign-out.
pub const LOGOUT: &str = "/logout";
/// A letter that leads to a new password.
pub const PASSWORD_RESET: &str = "/password/reset";
/// The new password; with `?token=`, the landing page of a letter's link.
pub const PASSWORD_RESET_CONFIRM: &str = "/password/reset/confirm";
/// A new password in place of the present one.
pub const ACCOUNT_PASSWORD: &str = "/account/password";
/// Where one is signed in.
pub const ACCOUNT_SESSIONS: &str = "/account/sessions";
/// Ends one of them.
pub const ACCOUNT_SESSIONS_END: &str = "/account/sessions/end";
/// Ends all but this one.
pub const ACCOUNT_SESSIONS_END_OTHERS: &str = "/account/sessions/end-others";
/// Where password managers lead to (W3C, change-password-url).
pub const CHANGE_PASSWORD: &str = "/.well-known/change-password";
/// Who you are.
pub const ACCOUNT: &str = "/account";
/// Questions about signing in.
pub const HELP: &str = "/help";
/// What was tested, and what is known to be missing.
pub const ACCESSIBILITY: &str = "/accessibility";
/// Light, dark, or as the system says.
pub const THEME: &str = "/theme";
/// Letters that were not sent, in development.
pub const DEV_MAILBOX: &str = "/dev/mailbox";
/// The JSON API.
pub const API: &str = "/api/v1/auth";
/// Its description, for programs.
pub const OPENAPI: &str = "/api/v1/openapi.json";
/// The same, for people.
pub const API_DOCS: &str = "/api/docs";

/// The page that shows a form: the form's own path, but for forms that share a page.
pub fn page_of_form(path: &str) -> &str {
    match path {
        VERIFY_EMAIL_RESEND => VERIFY_EMAIL,
        ACCOUNT_SESSIONS_END | ACCOUNT_SESSIONS_END_OTHERS => ACCOUNT_SESSIONS,
        path => path,
    }
}

/// Only signed-in people see these.
pub fn is_for_signed_in(path: &str) -> bool {
    path == ACCOUNT || path.starts_with("/account/")
}

/// A `next` that stays on this site: an absolute path, written so that no browser reads a host into it.
/// Browsers take `\` for `/` and skip tabs and line breaks (URL standard, section 4.4), so neither may occur.
pub fn local(next: &str) -> Option<&str> {
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let stays = next.starts_with('/') && !next.starts_with("//");
    (is_plain && stays && next.len() <= 2048).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for next in [
            "",
            "//e",
            "/\\e",
            "\\\\e",
            "https:e",
            "https:/e",
            "http://acct.test@e",
            "javascript:alert(1)",
            "data:,",
            "/\t/e",
            "/a\r\nSet-Cookie: a=b",
            " /account",
            "account",
            "/\u{3002}e",
            "/／e",
        ] {
            assert_eq!(local(next), None, "{next:?}");
        }
        for next in ["/account", "/account?tab=1&x=%2f", "/%09/e", "/%2f%2fe", "/"] {
            assert_eq!(local(next), Some(next));
        }
    }
}
