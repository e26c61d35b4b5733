//! `vestibule`: reads the settings, builds the site, serves it, and stops in order.

use std::error::Error;
use std::process::ExitCode;

use accounts::{Chain, Clock};
use clap::Parser as _;
use server::cli::{Cli, Command};
use server::config::names::{self, LISTEN, PREFIX};
use server::listener::Bounds;
use server::{Config, Site, check, commands, listener, news, open_files, post_office, refusals, tidying};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing_subscriber::EnvFilter;

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or_default();
    if command == Command::Configuration {
        print!("{}", names::reference());
        return ExitCode::SUCCESS;
    }
    let only_looks = matches!(command, Command::Check { .. } | Command::Openapi);
    let config = match Config::of_process(cli.config.as_deref(), only_looks) {
        Ok(config) => config,
        Err(faults) => return tell(&faults),
    };
    if command == Command::Openapi {
        println!("{:#}", server::openapi(&config));
        return ExitCode::SUCCESS;
    }
    if !matches!(command, Command::Check { .. }) {
        log_to(&config);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = runtime.map_err(Into::into).and_then(|runtime| {
        runtime.block_on(async {
            match command {
                Command::Serve => serve(config).await,
                Command::Check { connect } => check(&config, connect).await,
                command => commands::run(&command, &config).await,
            }
        })
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vestibule: {}", Chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn tell(faults: &[String]) -> ExitCode {
    eprintln!("vestibule: the settings have {}:", if faults.len() == 1 { "an error" } else { "errors" });
    for fault in faults {
        eprintln!("  {fault}");
    }
    ExitCode::FAILURE
}

fn log_to(config: &Config) {
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if config.log_json { log.json().init() } else { log.init() }
}

async fn check(config: &Config, connect: bool) -> Outcome {
    println!("{}", check::report(config));
    let faults = if connect { check::connect(config).await } else { Vec::new() };
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

async fn serve(mut config: Config) -> Outcome {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    if let Some(warning) = open_files::allow(config.max_connections) {
        tracing::warn!("{warning}");
    }
    let listener = bound(&config).await?;
    config.listens_at(listener.local_addr()?.port());
    let bounds = Bounds::of(&config);
    let (public_url, has_mailbox) = (config.settings.public_url.clone(), config.has_mailbox());
    if !config.settings.rate_limits {
        tracing::warn!("rate limits are off: for load tests only");
    }
    let site = server::build(config, Clock::System).await?;
    let (stop, is_asked) = watch::channel(false);
    let post_office = begin_tasks(&site, &is_asked);
    if has_mailbox {
        println!("Emails are not sent; read them at {public_url}/dev/mailbox");
    }
    println!("Vestibule is ready: {public_url}");
    let asked = async move {
        asked_to_stop().await;
        // Letters under way finish while requests do.
        stop.send_replace(true);
    };
    let served = listener::serve(listener, site.router(), bounds, asked).await;
    tokio::time::timeout(post_office::LAST_ORDERS * 2, post_office).await.ok();
    refusals::write(site.accounts()).await;
    Ok(served?)
}

/// Answers the one task that has something to finish; the others end with the program.
fn begin_tasks(site: &Site, stop: &watch::Receiver<bool>) -> JoinHandle<()> {
    let (background, clock) = (site.background(), site.accounts().clock());
    let accounts = site.accounts().clone();
    background.keep_running("news", clock, news::SILENCE, move |pulse| news::run(accounts.clone(), pulse));
    let accounts = site.accounts().clone();
    background.keep_running("tidying", clock, tidying::SILENCE, move |pulse| tidying::run(accounts.clone(), pulse));
    let accounts = site.accounts().clone();
    background.keep_running("refusals", clock, refusals::SILENCE, move |pulse| refusals::run(accounts.clone(), pulse));
    let (accounts, stop) = (site.accounts().clone(), stop.clone());
    background.keep_running("post office", clock, post_office::SILENCE, move |pulse| {
        post_office::run(accounts.clone(), pulse, stop.clone())
    })
}

async fn bound(config: &Config) -> Result<TcpListener, String> {
    let told = |error: std::io::Error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => "; another program listens there, maybe another Vestibule",
            _ => "",
        };
        format!("{PREFIX}{LISTEN}: cannot listen on {}: {error}{hint}", config.listen)
    };
    TcpListener::bind(config.listen).await.map_err(told)
}

/// Ctrl-C, or SIGTERM from whoever runs services here.
async fn asked_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    interrupt.await.ok();
}
