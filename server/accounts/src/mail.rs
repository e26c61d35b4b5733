//! The letters. Their texts are files under `mail/`, compiled in: a letter that names something it is not given does
//! not compile. No letter contains a word that a visitor wrote. Adding one is a folder, a line here, and a name in
//! `store/outbox.rs`.

use askama::Template;

use crate::{Error, Result};

/// A letter, ready to leave.
#[derive(Clone, Debug)]
pub(crate) struct Rendered {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    pub(crate) link: Option<String>,
    pub(crate) code: Option<String>,
}

/// What every letter says about the site.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    pub(crate) name: &'a str,
    pub(crate) url: &'a str,
}

macro_rules! letter {
    ($(#[$doc:meta])* $name:ident { $($field:ident),* } $subject:literal $text:literal $html:literal) => {
        $(#[$doc])*
        pub(crate) struct $name<'a> {
            pub(crate) site: Site<'a>,
            $(pub(crate) $field: &'a str,)*
        }

        impl $name<'_> {
            fn parts(&self) -> Result<[String; 3]> {
                #[derive(Template)]
                #[template(path = $subject)]
                struct Subject<'a> { letter: &'a $name<'a> }

                #[derive(Template)]
                #[template(path = $text)]
                struct Text<'a> { letter: &'a $name<'a> }

                #[derive(Template)]
                #[template(path = $html)]
                struct Html<'a> { letter: &'a $name<'a> }

                let subject = Subject { letter: self }.render().map_err(Error::internal)?;
                let text = Text { letter: self }.render().map_err(Error::internal)?;
                let html = Html { letter: self }.render().map_err(Error::internal)?;
                Ok([subject.trim().to_owned(), text, html])
            }
        }
    };
}

letter! {
    /// Proves a mailbox: by link or by code.
    Confirm { code, link, lifetime } "confirm/subject.txt" "confirm/body.txt" "confirm/body.html"
}

letter! {
    /// To the owner of an address that somebody tried to sign up with.
    AlreadyRegistered { sign_in, reset } "already_registered/subject.txt" "already_registered/body.txt" "already_registered/body.html"
}

letter! {
    /// Leads to a new password: by link or by code.
    ResetPassword { code, link, lifetime, warning } "reset_password/subject.txt" "reset_password/body.txt" "reset_password/body.html"
}

letter! {
    /// To an address without an account, for which a new password was asked.
    NoAccount { register } "no_account/subject.txt" "no_account/body.txt" "no_account/body.html"
}

letter! {
    /// To the owner, after the fact.
    PasswordChanged { when, reset } "password_changed/subject.txt" "password_changed/body.txt" "password_changed/body.html"
}

letter! {
    /// Two parties held the same refresh token.
    SessionTheft { when, reset } "session_theft/subject.txt" "session_theft/body.txt" "session_theft/body.html"
}

/// How each letter becomes one: those that prove something say with what.
macro_rules! rendered {
    (secrets: $($name:ident)+) => { $(
        impl $name<'_> {
            pub(crate) fn render(&self) -> Result<Rendered> {
                let [subject, text, html] = self.parts()?;
                let (link, code) = (Some(self.link.to_owned()), Some(self.code.to_owned()));
                Ok(Rendered { subject, text, html, link, code })
            }
        }
    )+ };
    (notices: $($name:ident)+) => { $(
        impl $name<'_> {
            pub(crate) fn render(&self) -> Result<Rendered> {
                let [subject, text, html] = self.parts()?;
                Ok(Rendered { subject, text, html, link: None, code: None })
            }
        }
    )+ };
}

rendered! { secrets: Confirm ResetPassword }
rendered! { notices: AlreadyRegistered NoAccount PasswordChanged SessionTheft }
