//! Where a person is signed in, and the way to end it.

use accounts::Device;
use contract::paths;
use leptos::prelude::*;

use crate::Failed;
use crate::page::{Data, request};
use crate::parts::account_nav::AccountNav;
use crate::parts::layout::Document;
use crate::parts::time::for_machines;
use crate::request::{Door, Notice, go_to};

/// Ends one session. One that is not there has ended before, or is somebody else's: nobody is told which.
#[server(prefix = "", endpoint = "account/sessions/end")]
pub async fn end_device(#[server(default)] id: String) -> Result<(), Failed> {
    let door = Door::of_request();
    let ended = door.accounts.end_device(&door.visitor, &id).await?;
    door.notify(ended.map_or(Notice::DeviceWasEnded, Notice::DeviceEnded)).await?;
    go_to(paths::ACCOUNT_SESSIONS);
    Ok(())
}

/// Ends all but this one.
#[server(prefix = "", endpoint = "account/sessions/end-others")]
pub async fn end_other_devices() -> Result<(), Failed> {
    let door = Door::of_request();
    door.accounts.end_other_devices(&door.visitor).await?;
    door.notify(Notice::OtherDevicesEnded).await?;
    go_to(paths::ACCOUNT_SESSIONS);
    Ok(())
}

#[component]
pub fn AccountSessions() -> impl IntoView {
    let devices = if let Data::Devices(devices) = request().data { devices } else { Vec::new() };
    let has_others = devices.iter().any(|device| !device.is_this);
    let (this, others): (Vec<_>, Vec<_>) = devices.into_iter().partition(|device| device.is_this);
    let others_form = if has_others {
        view! {
            <form method="post" action=paths::ACCOUNT_SESSIONS_END_OTHERS>
                <button class="btn quiet" type="submit">"Sign out all other devices"</button>
            </form>
            <p class="muted">
                "A device you do not know? Sign it out, then " <a href=paths::ACCOUNT_PASSWORD>"change your password"</a> "."
            </p>
        }
        .into_any()
    } else {
        view! { <p>"You are signed in on this device only."</p> }.into_any()
    };
    view! {
        <Document title="Your devices" form=paths::ACCOUNT_SESSIONS>
            <AccountNav/>
            <h1>"Your devices"</h1>
            <ul class="rows">
                {this.into_iter().chain(others).map(|device| view! { <Row device=device/> }).collect_view()}
            </ul>
            {others_form}
        </Document>
    }
}

#[component]
fn Row(device: Device) -> impl IntoView {
    let Device { id, name, is_this, address, created_at, last_used_at, .. } = device;
    let time = |at: chrono::DateTime<chrono::Utc>| {
        view! { <time datetime=for_machines(at)>{at.format("%-d %B %Y, %H:%M UTC").to_string()}</time> }
    };
    let hidden = format!(" {name}");
    let end = if is_this {
        ().into_any()
    } else {
        view! {
            <form method="post" action=paths::ACCOUNT_SESSIONS_END>
                <input type="hidden" name="id" value=id.to_string()/>
                <button class="btn quiet" type="submit">"Sign out" <span class="vh">{hidden}</span></button>
            </form>
        }
        .into_any()
    };
    view! {
        <li>
            <div>
                <h2>{name} {is_this.then(|| view! { <span class="tag">"This device"</span> })}</h2>
                <p class="muted">"Signed in " {time(created_at)}</p>
                <p class="muted">"Last active " {time(last_used_at)}</p>
                <p class="muted">"From the network " {address}</p>
            </div>
            {end}
        </li>
    }
}
