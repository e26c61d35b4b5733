//! No render and no server function ever sees another request's visitor.

mod support;

use support::*;

/// Many people and nobody, all at once on few threads: each page names its own person and no other, each server
/// function acts for its own visitor.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_requests_of_different_people_never_mix() {
    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    let mut people = Vec::new();
    for at in 0..12 {
        people.push(world.person(at, &format!("person{at}@example.com")).await);
    }
    let mut tasks = Vec::new();
    for round in 0..25 {
        for (at, person) in people.iter().enumerate() {
            let (mut person, mut nobody) = (person.clone(), world.client(200));
            tasks.push(tokio::spawn(async move {
                let mine = format!("person{at}@example.com");
                let page = person.get("/account").await.text();
                assert!(page.contains(&mine), "round {round}: {at} does not see themselves");
                let others = (0..12)
                    .filter(|other| *other != at)
                    .any(|other| page.contains(&format!("person{other}@example.com")));
                assert!(!others, "round {round}: {at} sees somebody else");
                // A form that fails is rendered again for whoever sent it.
                let again = person.post("/verify-email", &[("code", "1")]).await;
                assert_eq!(again.status.as_u16(), 422);
                assert!(again.text().contains("Sign out"));
                let theirs = nobody.post("/login", &[("email", "x"), ("password", "y")]).await.text();
                assert!(
                    !theirs.contains("@example.com\"") && !theirs.contains("Sign out"),
                    "round {round}: nobody is somebody"
                );
                assert_eq!(nobody.get("/account").await.status.as_u16(), 303);
            }));
        }
    }
    for task in tasks {
        task.await.expect("no mix-up");
    }
}

/// Requests that are suspended midway (their bodies have not arrived) hold no visitor that others could see.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspended_requests_lend_their_visitor_to_nobody() {
    use axum::body::Body;
    use axum::http::Method;
    use futures::stream;

    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    let person = world.person(1, "ada@example.com").await;
    let mut waiting = Vec::new();
    let mut bodies = Vec::new();
    for _ in 0..60 {
        let (send, receive) = tokio::sync::oneshot::channel::<()>();
        bodies.push(send);
        let mut person = person.clone();
        waiting.push(tokio::spawn(async move {
            let body = Body::from_stream(stream::once(async move {
                receive.await.ok();
                Ok::<_, std::io::Error>("code=1")
            }));
            let headers = [("accept", "text/html"), ("content-type", FORM)];
            person.send(Method::POST, "/verify-email", &headers, body).await
        }));
    }
    for _ in 0..300 {
        let mut nobody = world.client(2);
        assert_eq!(nobody.get("/account").await.status.as_u16(), 303);
        let page = nobody.post("/login", &[("email", "x"), ("password", "y")]).await.text();
        assert!(!page.contains("Sign out"));
    }
    for body in bodies {
        body.send(()).expect("a waiting request");
    }
    for task in waiting {
        assert!(task.await.expect("no panic").text().contains("Sign out"), "each is still its own");
    }
}
