//! The command line: one file per family of verbs, each thin.
//!
//! Exit codes: 0 checked and good; 1 checked and bad, or refused by a rule; 2 could not check (usage, I/O, not
//! understood). Errors are `error:` with what is wrong and where, and `hint:` with what to do.

mod act;
mod answers;
mod beginning;
mod charter_shown;
mod check;
mod clock;
mod demo;
mod desk;
mod documents;
mod export;
mod files;
mod folded;
mod followed;
mod held;
mod hints;
mod history;
mod import;
mod incident;
mod init;
mod kept;
mod keygen;
mod keys;
mod log;
mod lookup;
mod motions;
mod named;
#[cfg(feature = "net")]
mod net;
mod obligation;
mod open;
mod pack;
mod plain;
mod pledge;
mod problem;
mod prompts;
mod prove;
mod review;
mod roster;
mod rounds;
mod screen;
mod send;
mod signatories;
mod signing;
mod show;
mod take_over;
mod verify;
mod walk;
mod words;

use clap::{Parser, Subcommand};
use problem::Problem;
use std::process::ExitCode;

/// What every verb may use.
pub struct Context {
    /// Where output goes, and in which form.
    pub screen: screen::Screen,
    /// The time, if it was given.
    pub clock: clock::Clock,
}

/// How a verb ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Checked and good, or done.
    Good,
    /// Checked and bad: the evidence was printed.
    Bad,
    /// Could not be checked, as was printed.
    Unchecked,
}

impl Outcome {
    /// The word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Unchecked => "unchecked",
        }
    }
}

/// A verifiable log of commitments: signed by many, append-only, checked by anyone.
#[derive(Parser)]
#[command(name = "servanda", version, max_term_width = 100, disable_help_subcommand = true)]
struct Args {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    /// The time to go by instead of the clock's, e.g. 2026-12-01T12:00Z
    #[arg(long, global = true, env = "SERVANDA_NOW", value_name = "TIME", hide_env_values = true)]
    now: Option<servanda::field::Instant>,
    #[cfg(feature = "net")]
    #[command(flatten)]
    net: net::NetArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Found a log: show what the charter says, ask, and write the log's home and its trust file
    Init(init::Args),
    /// Make a key: an officer's, or with --log the one that signs a log's checkpoints
    Keygen(keygen::Args),
    Accede(roster::Accede),
    Rotate(roster::Rotate),
    Propose(motions::Propose),
    Approve(motions::Approve),
    Pledge(pledge::PledgeArgs),
    Accept(pledge::AcceptArgs),
    Amend(pledge::AmendArgs),
    Withdraw(pledge::WithdrawArgs),
    Record(pledge::RecordArgs),
    Join(pledge::JoinArgs),
    Adopt(pledge::AdoptArgs),
    Notice(pledge::NoticeArgs),
    Report(incident::ReportArgs),
    Attest(incident::AttestArgs),
    Dispute(incident::DisputeArgs),
    Invoke(obligation::InvokeArgs),
    Respond(obligation::RespondArgs),
    Confirm(obligation::ConfirmArgs),
    Review(review::ReviewArgs),
    Reveal(review::RevealArgs),
    Import(import::Import),
    Sign(send::Sign),
    Submit(send::Submit),
    Verify(verify::Verify),
    Prove(prove::Prove),
    Log(log::Args),
    Show(show::Args),
    History(history::Args),
    ReviewPack(pack::Args),
    Status(answers::status::Args),
    Brief(answers::brief::Args),
    Agenda(answers::agenda::Args),
    Incidents(answers::incidents::Args),
    WhatIf(answers::what_if::Args),
    Roster(answers::roster::Args),
    Export(export::Args),
    Open(documents::Args),
    Check(check::Check),
    Demo(demo::Args),
    #[cfg(feature = "net")]
    Serve(net::serve::Serve),
    #[cfg(feature = "net")]
    Witness(net::witness::Witness),
    #[cfg(feature = "net")]
    Mirror(net::mirror::MirrorArgs),
    #[cfg(feature = "net")]
    Monitor(net::monitor::MonitorArgs),
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let args = Args::parse();
    let context = Context { screen: screen::Screen::new(args.json), clock: clock::Clock::new(args.now) };
    #[cfg(feature = "net")]
    let outcome = net::set_up(args.net).and_then(|()| dispatch(&context, args.verb));
    #[cfg(not(feature = "net"))]
    let outcome = dispatch(&context, args.verb);
    match outcome {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::Bad) => ExitCode::from(1),
        Ok(Outcome::Unchecked) => ExitCode::from(2),
        Err(error) => {
            problem::print(&error);
            ExitCode::from(if Problem::is_refusal(&error) { 1 } else { 2 })
        }
    }
}

fn dispatch(context: &Context, verb: Verb) -> anyhow::Result<Outcome> {
    match verb {
        Verb::Init(args) => init::run(context, args),
        Verb::Keygen(args) => keygen::run(context, args),
        Verb::Accede(args) => roster::accede(context, args),
        Verb::Rotate(args) => roster::rotate(context, args),
        Verb::Propose(args) => motions::propose(context, args),
        Verb::Approve(args) => motions::approve(context, args),
        Verb::Pledge(args) => pledge::pledge(context, args),
        Verb::Accept(args) => pledge::accept(context, args),
        Verb::Amend(args) => pledge::amend(context, args),
        Verb::Withdraw(args) => pledge::withdraw(context, args),
        Verb::Record(args) => pledge::record(context, args),
        Verb::Join(args) => pledge::join(context, args),
        Verb::Adopt(args) => pledge::adopt(context, args),
        Verb::Notice(args) => pledge::notice(context, args),
        Verb::Report(args) => incident::report(context, args),
        Verb::Attest(args) => incident::attest(context, args),
        Verb::Dispute(args) => incident::dispute(context, args),
        Verb::Invoke(args) => obligation::invoke(context, args),
        Verb::Respond(args) => obligation::respond(context, args),
        Verb::Confirm(args) => obligation::confirm(context, args),
        Verb::Review(args) => review::review(context, args),
        Verb::Reveal(args) => review::reveal(context, args),
        Verb::Import(args) => import::run(context, args),
        Verb::Sign(args) => send::sign(context, args),
        Verb::Submit(args) => send::submit(context, args),
        Verb::Verify(args) => verify::run(context, &args),
        Verb::Prove(args) => prove::run(context, args),
        Verb::Log(args) => log::run(context, &args),
        Verb::Show(args) => show::run(context, &args),
        Verb::History(args) => history::run(context, &args),
        Verb::ReviewPack(args) => pack::run(context, &args),
        Verb::Status(args) => answers::status::run(context, &args),
        Verb::Brief(args) => answers::brief::run(context, &args),
        Verb::Agenda(args) => answers::agenda::run(context, &args),
        Verb::Incidents(args) => answers::incidents::run(context, &args),
        Verb::WhatIf(args) => answers::what_if::run(context, &args),
        Verb::Roster(args) => answers::roster::run(context, &args),
        Verb::Export(args) => export::run(context, &args),
        Verb::Open(args) => documents::run(context, &args),
        Verb::Check(args) => check::run(context, &args),
        Verb::Demo(args) => demo::run(context, args),
        #[cfg(feature = "net")]
        Verb::Serve(args) => net::serve::run(context, args),
        #[cfg(feature = "net")]
        Verb::Witness(args) => net::witness::run(context, args),
        #[cfg(feature = "net")]
        Verb::Mirror(args) => net::mirror::run(context, &args),
        #[cfg(feature = "net")]
        Verb::Monitor(args) => net::monitor::run(context, args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_options_of_all_verbs_fit_together() {
        super::Args::command().debug_assert();
    }
}
