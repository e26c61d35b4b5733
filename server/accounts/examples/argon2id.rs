//! How many Argon2id hashes a second this machine makes, with our parameters and one thread a core: the bar that
//! sign-ins a second are measured against (`make bench`).
//!
//! usage: argon2id SECONDS

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use accounts::Hashing;
use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};

fn main() -> Result<(), Box<dyn Error>> {
    let seconds: u64 = std::env::args().nth(1).ok_or("usage: argon2id SECONDS")?.parse()?;
    let cost = Hashing::default();
    let until = Instant::now() + Duration::from_secs(seconds);
    let work = move || {
        let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None).expect("good parameters");
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut hashes = 0_u32;
        while Instant::now() < until {
            argon2.hash_password(b"three unrelated words").expect("a hash");
            hashes += 1;
        }
        hashes
    };
    let threads: Vec<_> = (0..cost.slots).map(|_| thread::spawn(work)).collect();
    let hashes: u32 = threads.into_iter().map(|thread| thread.join().expect("no panic")).sum();
    println!("{:.1}", f64::from(hashes) / Duration::from_secs(seconds).as_secs_f64());
    Ok(())
}
