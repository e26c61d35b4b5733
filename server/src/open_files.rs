//! The limit of open files. Each connection is one, and shells and services often start with 1024: the rest of the
//! connections that the settings promise would be refused by the system, in silence.

/// Besides connections: database, mail, logs.
const OTHERS: u64 = 256;

/// Asks the system for as many files as these connections need. A sentence if it says no.
#[cfg(unix)]
pub fn allow(connections: usize) -> Option<String> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let needed = OTHERS + connections as u64;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let has_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= needed);
    if has_enough(current) {
        return None;
    }
    let most = maximum.map_or(needed, |maximum| maximum.min(needed));
    let is_raised = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum }).is_ok();
    let open_files = if is_raised { Some(most) } else { current };
    (!has_enough(open_files)).then(|| {
        format!(
            "VESTIBULE_MAX_CONNECTIONS is {connections}, but this process may open {} files only; raise the limit \
             (ulimit -n, LimitNOFILE)",
            open_files.unwrap_or_default()
        )
    })
}

/// Nothing is known to be limited.
#[cfg(not(unix))]
pub fn allow(_: usize) -> Option<String> {
    None
}
