//! Where a person is signed in: named in words, ended one by one or all but this one.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::audit::Event;
use crate::sessions::Session;
use crate::{Accounts, Result, Visitor};

/// A session, as its owner sees it. Holds nothing that would let anyone in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Of the session.
    pub id: Uuid,
    /// "Firefox on Linux".
    pub name: String,
    /// Whether it is the one that asks.
    pub is_this: bool,
    /// The network it began in, cut short.
    pub address: String,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When its tokens were last renewed.
    pub last_used_at: DateTime<Utc>,
    /// When it ends however much it is used.
    pub expires_at: DateTime<Utc>,
}

impl Accounts {
    /// Where the person is signed in, the last used one first.
    pub async fn devices(&self, visitor: &Visitor) -> Result<Vec<Device>> {
        let here = visitor.session()?;
        let now = self.0.clock.now();
        let sessions = self.0.store.read().await?.live_sessions(here.user.id, now).await?;
        let is_idle = |session: &Session| session.last_used_at + self.settings().lifetimes.refresh <= now;
        let device = |session: Session| Device {
            id: session.id,
            name: name(&session.user_agent),
            is_this: session.id == here.session_id,
            address: session.address,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
        };
        Ok(sessions.into_iter().filter(|session| !is_idle(session)).map(device).collect())
    }

    /// Ends one session of the person's own, and answers what it was. Nothing where there is none: others' are not
    /// found, as those that never were.
    pub async fn end_device(&self, visitor: &Visitor, id: &str) -> Result<Option<String>> {
        let here = visitor.session()?;
        let Ok(id) = id.parse::<Uuid>() else { return Ok(None) };
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let session = tx.live_session(id, now).await?.filter(|session| session.user_id == here.user.id);
        let Some(session) = session else { return Ok(None) };
        if !tx.end_session(id, now).await? {
            return Ok(None);
        }
        self.record(&mut tx, Event::SessionEnded, Some(visitor), Some(here.user.id), Some(id)).await?;
        self.commit_change(tx, here.user.id).await?;
        Ok(Some(name(&session.user_agent)))
    }

    /// Ends all sessions of the person but this one.
    pub async fn end_other_devices(&self, visitor: &Visitor) -> Result<()> {
        let here = visitor.session()?;
        let mut tx = self.0.store.write().await?;
        tx.end_other_sessions(here.user.id, here.session_id, self.0.clock.now()).await?;
        self.record(&mut tx, Event::SignedOutEverywhere, Some(visitor), Some(here.user.id), Some(here.session_id))
            .await?;
        self.commit_change(tx, here.user.id).await
    }
}

/// More telling words first: browsers carry the names of those they descend from.
const CLIENTS: [(&str, &str); 16] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("python", "A Python program"),
    ("okhttp/", "An Android app"),
    ("Go-http-client", "A Go program"),
    ("node", "A Node program"),
];

const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
];

/// A name for what a client calls itself. None of its own words is shown: whoever signs in chooses those.
pub(crate) fn name(user_agent: &str) -> String {
    let of = |table: &[(&str, &'static str)]| {
        table.iter().find(|(word, _)| user_agent.contains(word)).map(|(_, name)| *name)
    };
    match (of(&CLIENTS), of(&SYSTEMS)) {
        (Some(client), Some(system)) => format!("{client} on {system}"),
        (Some(client), None) => client.to_owned(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) => "An unknown device".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn devices_have_names_that_people_know() {
        for (user_agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.14.1", "curl"),
            ("python-requests/2.32", "A Python program"),
            ("", "An unknown device"),
            ("<script>alert(1)</script>", "An unknown device"),
        ] {
            assert_eq!(name(user_agent), expected, "{user_agent}");
        }
    }
}
