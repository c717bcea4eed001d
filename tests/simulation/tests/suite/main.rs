//! The engine and its providers against the models, in virtual time: one suite that every provider passes, and what is particular
//! to each.

mod apifansly;
mod cancel_pause;
mod conformance;
mod denied_network;
mod dialects;
mod etags;
mod faults;
mod foreign;
mod hanging_reads;
mod hashing;
mod hostile;
mod hosts;
mod intranet;
mod ofauth;
mod ofauth_loss;
mod onlymonster;
mod onlymonster_loss;
mod options;
mod overload;
mod part_size;
mod plan;
mod plan_rules;
mod progress;
mod proof;
mod reach;
mod regressions;
mod rejected;
mod s3;
mod s3_errors;
mod seeds;
mod slots;
mod slow_lines;
mod small_files;
mod stores;
mod tail;
