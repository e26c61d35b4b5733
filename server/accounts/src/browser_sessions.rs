//! What a browser does before anyone is signed in, kept on the server under a hash of the id in its cookie: a stolen
//! database holds no cookie that works.

use chrono::{DateTime, Utc};

use crate::{Accounts, Result, tokens};

/// Opaque to the domain.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct BrowserSession {
    /// JSON.
    pub data: String,
    /// UTC.
    pub expires_at: DateTime<Utc>,
}

impl Accounts {
    /// Keeps a new one. False when the id is taken.
    pub async fn create_browser_session(&self, id: &[u8], session: &BrowserSession) -> Result<bool> {
        let mut tx = self.0.store.write().await?;
        let created = tx.insert_browser_session(&tokens::hash(id), session).await?;
        tx.commit().await?;
        Ok(created)
    }

    /// Keeps a changed one. False when it was ended meanwhile, by a sign-in in another tab: then it stays ended.
    pub async fn save_browser_session(&self, id: &[u8], session: &BrowserSession) -> Result<bool> {
        let mut tx = self.0.store.write().await?;
        let saved = tx.update_browser_session(&tokens::hash(id), session).await?;
        tx.commit().await?;
        Ok(saved)
    }

    /// Finds one that has not expired.
    pub async fn load_browser_session(&self, id: &[u8]) -> Result<Option<BrowserSession>> {
        let now = self.0.clock.now();
        self.0.store.read().await?.browser_session(&tokens::hash(id), now).await
    }

    /// Forgets one.
    pub async fn delete_browser_session(&self, id: &[u8]) -> Result<()> {
        let mut tx = self.0.store.write().await?;
        tx.delete_browser_session(&tokens::hash(id)).await?;
        tx.commit().await
    }
}
