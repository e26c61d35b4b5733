//! When a client has had its time.
//!
//! hyper knows one time limit, for the head of a request, and counts the wait between two requests as part of it. Here a
//! stream notes what moves, the service notes when a request is there and when it is answered, and both together say
//! how long the client may still take. A handler's own time is not the client's: the router limits it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::Patience;

/// How far a connection is. Shared by its stream, its service, its watch and the list of places.
#[derive(Debug)]
pub(super) struct Progress(Mutex<State>);

#[derive(Debug)]
struct State {
    patience: Patience,
    phase: Phase,
    /// Until when the client must have taken more of an answer; kept until all of it is taken.
    take_by: Option<Instant>,
    /// The client has to take something before more can be sent.
    is_stuck: bool,
    /// Somebody else needs the place.
    is_to_leave: bool,
    watch: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The head of a request is on its way, or a first one is awaited.
    Head { until: Instant },
    /// A handler is at work.
    Asked,
    /// The answer is there, but nothing of it was sent.
    Answered,
    /// The answer is being sent.
    Sending,
    /// All is sent; the next request may come.
    Idle { since: Instant },
}

impl State {
    fn new(patience: Patience, now: Instant) -> Self {
        let phase = Phase::Head { until: now + patience.head };
        Self { patience, phase, take_by: None, is_stuck: false, is_to_leave: false, watch: None }
    }

    fn read(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Idle { .. } | Phase::Sending) {
            self.phase = Phase::Head { until: now + self.patience.head };
        }
    }

    /// The connection waits, and not for the client to take something: all of an answer is sent.
    fn waits(&mut self, now: Instant) {
        if self.phase == Phase::Sending && !self.is_stuck {
            self.phase = Phase::Idle { since: now };
            self.take_by = None;
        }
    }

    fn wrote(&mut self, octets: usize, now: Instant) {
        if self.phase == Phase::Answered {
            self.phase = Phase::Sending;
        }
        self.is_stuck = false;
        let octets = u32::try_from(octets).unwrap_or(u32::MAX);
        let credit = Duration::from_secs_f64(f64::from(octets) / f64::from(self.patience.rate));
        let latest = now + self.patience.stalled;
        self.take_by = self.take_by.map(|by| (by + credit).min(latest));
    }

    fn cannot_write(&mut self, now: Instant) {
        self.is_stuck = true;
        self.take_by.get_or_insert(now + self.patience.stalled);
    }

    /// When the client has had its time; `None` while the next move is ours.
    fn deadline(&self) -> Option<Instant> {
        match self.phase {
            _ if self.is_stuck => self.take_by,
            Phase::Head { until } => Some(until),
            Phase::Idle { since } => Some(since + self.patience.idle),
            Phase::Asked | Phase::Answered | Phase::Sending => None,
        }
    }

    fn idle_since(&self) -> Option<Instant> {
        match self.phase {
            Phase::Idle { since } if !self.is_to_leave => Some(since),
            _ => None,
        }
    }
}

impl Progress {
    pub(super) fn new(patience: Patience) -> Self {
        Self(Mutex::new(State::new(patience, Instant::now())))
    }

    /// A request is there, and its handler begins.
    pub(super) fn asked(&self) {
        self.with(|state| state.phase = Phase::Asked);
    }

    /// The handler is done.
    pub(super) fn answered(&self) {
        self.with(|state| state.phase = Phase::Answered);
    }

    /// Since when nothing is under way here; `None` as well when the connection was told to leave.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        self.with(|state| state.idle_since())
    }

    /// Closes the connection if nothing is under way when it hears of it.
    pub(super) fn leave(&self) {
        self.with(|state| {
            state.is_to_leave = true;
            if let Some(watch) = &state.watch {
                watch.wake_by_ref();
            }
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Done when the client has had its time. Polled by the task of the connection, after the connection itself, so what it
/// sees cannot change meanwhile.
#[derive(Debug)]
pub(super) struct Watch {
    progress: Arc<Progress>,
    sleep: Pin<Box<Sleep>>,
}

impl Watch {
    pub(super) fn new(progress: Arc<Progress>) -> Self {
        Self { progress, sleep: Box::pin(tokio::time::sleep(Duration::ZERO)) }
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let (is_over, deadline) = self.progress.with(|state| {
            if !state.watch.as_ref().is_some_and(|watch| watch.will_wake(context.waker())) {
                state.watch = Some(context.waker().clone());
            }
            state.waits(Instant::now());
            let is_over = state.is_to_leave && matches!(state.phase, Phase::Idle { .. });
            state.is_to_leave = false;
            (is_over, state.deadline())
        });
        if is_over {
            return Poll::Ready(());
        }
        let Some(deadline) = deadline else { return Poll::Pending };
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(context)
    }
}

/// A stream that notes what moves.
#[derive(Debug)]
pub(super) struct Observed<S> {
    stream: S,
    progress: Arc<Progress>,
}

impl<S> Observed<S> {
    pub(super) fn new(stream: S, progress: Arc<Progress>) -> Self {
        Self { stream, progress }
    }

    fn note_written(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(octets)) => self.progress.with(|state| state.wrote(*octets, Instant::now())),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.progress.with(|state| state.cannot_write(Instant::now())),
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Observed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.progress.with(|state| state.read(Instant::now()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Observed<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, octets);
        self.note_written(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, octets);
        self.note_written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A connection on which one request was asked and answered, and the answer is stuck.
    fn stuck(start: Instant) -> State {
        let mut state = State::new(Patience::default(), start);
        state.phase = Phase::Answered;
        state.wrote(4096, start);
        state.cannot_write(start);
        state
    }

    #[test]
    fn a_head_has_ten_seconds_however_often_an_octet_of_it_comes() {
        let start = Instant::now();
        let mut state = State::new(Patience::default(), start);
        for second in 1..9 {
            state.read(start + SECOND * second);
            state.waits(start + SECOND * second);
        }
        assert_eq!(state.deadline(), Some(start + SECOND * 10));
    }

    #[test]
    fn a_connection_may_rest_longer_than_nginx_keeps_it() {
        let start = Instant::now();
        let mut state = State::new(Patience::default(), start);
        state.phase = Phase::Answered;
        assert_eq!(state.deadline(), None, "the next move is ours");
        state.wrote(100, start);
        state.waits(start);
        assert_eq!(state.deadline(), Some(start + SECOND * 75));
        assert_eq!(state.idle_since(), Some(start));
        state.read(start + SECOND * 70);
        assert_eq!(state.deadline(), Some(start + SECOND * 80), "a head that began has the time of a head");
        assert_eq!(state.idle_since(), None);
    }

    #[test]
    fn a_client_that_takes_nothing_has_thirty_seconds() {
        let start = Instant::now();
        let mut state = stuck(start);
        state.waits(start + SECOND);
        assert_eq!(state.idle_since(), None, "an answer under way is no idleness");
        assert_eq!(state.deadline(), Some(start + SECOND * 30));
    }

    #[test]
    fn a_client_that_sips_is_given_up_and_one_that_reads_slowly_is_not() {
        let start = Instant::now();
        for (octets_a_second, is_kept) in [(100, false), (512, false), (2048, true), (100_000, true)] {
            let (mut state, mut now) = (stuck(start), start);
            let is_alive = (0..600).all(|_| {
                now += SECOND;
                let is_alive = state.deadline().is_some_and(|deadline| deadline > now);
                state.wrote(octets_a_second, now);
                state.cannot_write(now);
                is_alive
            });
            assert_eq!(is_alive, is_kept, "{octets_a_second} octets a second");
        }
    }

    #[test]
    fn only_rest_can_be_disturbed() {
        let start = Instant::now();
        let mut state = stuck(start);
        for phase in [Phase::Head { until: start }, Phase::Asked, Phase::Answered, Phase::Sending] {
            state.phase = phase;
            assert_eq!(state.idle_since(), None, "{phase:?}");
        }
    }
}
