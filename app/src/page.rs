//! From a path to a page: the route table, what a render is given, and the render itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use accounts::{Device, LetterLink, MailboxMessage, Visitor};
use contract::rules::SignUpRules;
use contract::{Problem, paths};
use leptos::prelude::*;

use crate::pages;
use crate::request::Notice;

/// A page of the site.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Where it is.
    pub path: &'static str,
    /// Who may see it.
    pub audience: Audience,
    view: fn() -> AnyView,
}

/// Who may see a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    Anyone,
    /// Others are asked to sign in.
    SignedIn,
    /// Others are sent to their account.
    SignedOut,
}

/// The field of a form by which it says that its page handed out a cookie.
pub const PROBE_FIELD: &str = "probe";

/// The route table.
pub const PAGES: &[Page] = &[
    Page { path: paths::HOME, audience: Audience::Anyone, view: || pages::home::Home().into_any() },
    Page { path: paths::REGISTER, audience: Audience::SignedOut, view: || pages::register::Register().into_any() },
    Page {
        path: paths::VERIFY_EMAIL,
        audience: Audience::Anyone,
        view: || pages::verify_email::VerifyEmail().into_any(),
    },
    Page { path: paths::LOGIN, audience: Audience::SignedOut, view: || pages::login::Login().into_any() },
    Page { path: paths::LOGOUT, audience: Audience::Anyone, view: || pages::logout::Logout().into_any() },
    Page {
        path: paths::PASSWORD_RESET,
        audience: Audience::Anyone,
        view: || pages::password_reset::Forgotten().into_any(),
    },
    Page {
        path: paths::PASSWORD_RESET_CONFIRM,
        audience: Audience::Anyone,
        view: || pages::password_reset::Proven().into_any(),
    },
    Page { path: paths::ACCOUNT, audience: Audience::SignedIn, view: || pages::account::Account().into_any() },
    Page {
        path: paths::ACCOUNT_PASSWORD,
        audience: Audience::SignedIn,
        view: || pages::account_password::AccountPassword().into_any(),
    },
    Page {
        path: paths::ACCOUNT_SESSIONS,
        audience: Audience::SignedIn,
        view: || pages::account_sessions::AccountSessions().into_any(),
    },
    Page { path: paths::API_DOCS, audience: Audience::Anyone, view: || pages::api_docs::ApiDocs().into_any() },
    Page { path: paths::HELP, audience: Audience::Anyone, view: || pages::help::Help().into_any() },
    Page {
        path: paths::ACCESSIBILITY,
        audience: Audience::Anyone,
        view: || pages::accessibility::Accessibility().into_any(),
    },
];

/// The built-in mailbox, routed in development only.
pub const MAILBOX: Page =
    Page { path: paths::DEV_MAILBOX, audience: Audience::Anyone, view: || pages::mailbox::Mailbox().into_any() };

/// What is shown where there is nothing.
pub const NOT_FOUND: Page = Page { path: "", audience: Audience::Anyone, view: || pages::error::NotFound().into_any() };

/// What is shown when something broke, or a request is not taken.
pub const PROBLEM: Page = Page { path: "", audience: Audience::Anyone, view: || pages::error::Trouble().into_any() };

/// Facts about the site that every page may show.
#[derive(Clone, Debug)]
pub struct Site {
    /// The rules of sign-up, and the site's name.
    pub rules: SignUpRules,
    /// How long a letter's link and code work, in words.
    pub letter_lives: String,
    /// The same of a letter that resets a password.
    pub reset_lives: String,
    /// Whether people may sign up.
    pub open: bool,
    /// Whether letters go to the built-in mailbox.
    pub has_mailbox: bool,
    /// Address of the style sheet.
    pub style: String,
    /// Address of the icon.
    pub icon: String,
    /// Address of the script that wakes the islands.
    pub script: String,
    /// The operator's terms.
    pub terms_url: Option<String>,
    /// The operator's privacy notice.
    pub privacy_url: Option<String>,
}

/// What a form post came to, for the page that shows it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Where it was posted.
    pub path: String,
    /// What was typed, but for secrets.
    pub kept: BTreeMap<String, String>,
    /// Why it was not done.
    pub problem: Problem,
}

/// What was loaded for a page.
#[derive(Clone, Debug, Default)]
pub enum Data {
    /// Nothing.
    #[default]
    None,
    /// The link that was opened.
    Confirmation {
        /// Its token.
        token: String,
        /// What it leads to.
        link: LetterLink,
    },
    /// The link that leads to a new password.
    Reset {
        /// Its token.
        token: String,
        /// What it leads to.
        link: LetterLink,
    },
    /// This browser asked for a new password.
    ResetAsked {
        /// As typed.
        email: String,
    },
    /// Where the person is signed in.
    Devices(Vec<Device>),
    /// The description of the API.
    Api(Arc<serde_json::Value>),
    /// The built-in mailbox.
    Mailbox(Vec<MailboxMessage>),
}

/// Everything a render is given. Always there as a whole, also for nobody: nothing is looked up elsewhere.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Path and query.
    pub path: String,
    /// Who asks.
    pub visitor: Visitor,
    /// The site.
    pub site: Arc<Site>,
    /// `light`, `dark`, or as the system says.
    pub theme: Option<&'static str>,
    /// Said once.
    pub notice: Option<Notice>,
    /// A form that was not taken.
    pub outcome: Option<Outcome>,
    /// What was loaded.
    pub data: Data,
    /// Where to go after sign-in; a local path.
    pub next: Option<String>,
    /// Allows this page's script (CSP).
    pub nonce: String,
    /// Names the request in the log.
    pub request_id: String,
}

/// Renders a page to a whole document.
pub fn render(page: &Page, request: PageRequest) -> String {
    let owner = Owner::new_root(None);
    let html = owner.with(|| {
        provide_context(request);
        (page.view)().to_html()
    });
    owner.unset();
    html
}

/// The request that is rendered.
pub(crate) fn request() -> PageRequest {
    expect_context()
}
