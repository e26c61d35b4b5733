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
    AlreadyRegistered { sign_in } "already_registered/subject.txt" "already_registered/body.txt" "already_registered/body.html"
}

impl Confirm<'_> {
    pub(crate) fn render(&self) -> Result<Rendered> {
        let [subject, text, html] = self.parts()?;
        Ok(Rendered { subject, text, html, link: Some(self.link.to_owned()), code: Some(self.code.to_owned()) })
    }
}

impl AlreadyRegistered<'_> {
    pub(crate) fn render(&self) -> Result<Rendered> {
        let [subject, text, html] = self.parts()?;
        Ok(Rendered { subject, text, html, link: None, code: None })
    }
}
