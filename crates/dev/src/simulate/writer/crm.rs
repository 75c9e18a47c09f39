//! Statements of the CRM database. Each takes any number of actions of one rank.

use instashop_core::table::Table;

use super::{Action, Link, Outcome, column, naive};

const CONTACT: &str = "INSERT INTO interaction (interaction_id, customer_id, interaction_type, channel, interaction_date, status) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::timestamp[], $6::text[]) ON CONFLICT DO NOTHING";

const ANSWER: &str = "UPDATE interaction i SET status = given.status \
    FROM unnest($1::bigint[], $2::text[]) AS given(id, status) WHERE i.interaction_id = given.id";

const JOIN: &str = "INSERT INTO customersegment (customer_segment_id, customer_id, segment_id) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) ON CONFLICT DO NOTHING";

const LEAVE: &str = "DELETE FROM customersegment WHERE customer_segment_id = ANY($1)";

impl Link {
    /// Carries out actions of one rank.
    pub(super) async fn crm(&mut self, run: &[Action]) -> Result<Outcome, tokio_postgres::Error> {
        let mut outcome = Outcome::default();
        match run.first() {
            Some(Action::Contact(_)) => {
                let rows = column!(run, Action::Contact(row) => row);
                let done = self
                    .run(
                        CONTACT,
                        &[
                            &rows.iter().map(|row| row.id).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.store).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.kind).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.channel).collect::<Vec<_>>(),
                            &rows.iter().map(|row| naive(row.at)).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.status).collect::<Vec<_>>(),
                        ],
                    )
                    .await?;
                outcome.inserted(Table::Interaction, rows.len(), done);
            }
            Some(Action::Answer { .. }) => {
                let ids = column!(run, Action::Answer { interaction, .. } => *interaction);
                let status = column!(run, Action::Answer { status, .. } => *status);
                let done = self.run(ANSWER, &[&ids, &status]).await?;
                outcome.found(run.len(), done);
            }
            Some(Action::Join(_)) => {
                let rows = column!(run, Action::Join(row) => row);
                let done = self
                    .run(
                        JOIN,
                        &[
                            &rows.iter().map(|row| row.id).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.store).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.segment).collect::<Vec<_>>(),
                        ],
                    )
                    .await?;
                outcome.inserted(Table::CustomerSegment, rows.len(), done);
            }
            Some(Action::Leave(_)) => {
                let done = self
                    .run(LEAVE, &[&column!(run, Action::Leave(membership) => *membership)])
                    .await?;
                outcome.found(run.len(), done);
            }
            _ => {}
        }
        Ok(outcome)
    }
}
