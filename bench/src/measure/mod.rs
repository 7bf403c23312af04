//! The measurements. Each starts a Herald of its own with a new data folder; provider and receiver go on.

mod accept;
mod backlog;
mod end_to_end;
mod stage;

pub(crate) use end_to_end::end_to_end;
pub(crate) use stage::{Sizes, Stage};

use crate::figures::Samples;

/// A part that can be measured alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Accept,
    EndToEnd,
    Backlog,
}

impl Part {
    pub(crate) const ALL: [Self; 3] = [Self::Accept, Self::EndToEnd, Self::Backlog];

    /// The part in which a figure is measured.
    pub(crate) fn of(figure: &str) -> Self {
        match figure {
            name if name.contains("1m") => Self::Backlog,
            name if name.starts_with("end_to_end") || name.starts_with("cpu_s") => Self::EndToEnd,
            _ => Self::Accept,
        }
    }

    pub(crate) async fn measure(self, stage: &Stage, samples: &mut Samples) -> anyhow::Result<()> {
        match self {
            Self::Accept => accept::measure(stage, samples).await,
            Self::EndToEnd => end_to_end::measure(stage, samples).await,
            Self::Backlog => backlog::measure(stage, samples).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_in_its_part() {
        for (name, part) in [
            ("accepted_per_s", Part::Accept),
            ("accept_p99_ms_at_half_load", Part::Accept),
            ("rss_mib_empty", Part::Accept),
            ("end_to_end_per_s", Part::EndToEnd),
            ("cpu_s_per_1000", Part::EndToEnd),
            ("rss_mib_1m_queued", Part::Backlog),
            ("start_s_1m_queued", Part::Backlog),
            ("throughput_ratio_1m_queued", Part::Backlog),
        ] {
            assert_eq!(Part::of(name), part, "{name}");
        }
    }
}
