//! Templates at Meta: read, handed in, changed, deleted, unpaused.

use super::{WhatsappCloud, problem::said};
use herald_rules::reason::{Cause, Reason};
use serde_json::{Value, json};

/// What is read of each template.
const FIELDS: &str = "id,name,language,status,category,components,parameter_format,quality_score,rejected_reason,\
                      correct_category,previous_category,sub_category,message_send_ttl_seconds";

/// A page of the account's templates, each as Meta writes it.
#[derive(Clone, Debug, Default)]
pub struct TemplatePage {
    /// Meta's rows.
    pub templates: Vec<Value>,
    /// The cursor of the next page; None: this was the last.
    pub after: Option<String>,
}

impl WhatsappCloud {
    /// One page of the account's templates, of every status.
    ///
    /// # Errors
    /// What Meta said.
    pub async fn templates(&self, after: Option<&str>) -> Result<TemplatePage, Cause> {
        let mut query = vec![("fields", FIELDS), ("limit", "100")];
        query.extend(after.map(|after| ("after", after)));
        let mut answer = self.inner.graph.get(&[&self.inner.ours.waba_id, "message_templates"], &query).await?;
        // A cursor stands on the last page too; only `next` says that there is another.
        let has_next = answer.pointer("/paging/next").is_some_and(Value::is_string);
        let cursor = answer.pointer("/paging/cursors/after").and_then(Value::as_str).map(str::to_owned);
        let templates = match answer.get_mut("data").map(Value::take) {
            Some(Value::Array(templates)) => templates,
            _ => Vec::new(),
        };
        Ok(TemplatePage { templates, after: cursor.filter(|_| has_next) })
    }

    /// Hands a template in for review (`name`, `language`, `category`, `components`, ...). Answers `id`, `status`, `category`.
    ///
    /// # Errors
    /// What Meta said; for rules that a template breaks, with a sentence of ours.
    pub async fn create_template(&self, template: &Value) -> Result<Value, Cause> {
        let answer = self.inner.graph.post(&[&self.inner.ours.waba_id, "message_templates"], template).await;
        answer.map_err(explained)
    }

    /// Changes a template (`components`, `category`).
    ///
    /// # Errors
    /// What Meta said; for rules that a template breaks, with a sentence of ours.
    pub async fn edit_template(&self, id: &str, change: &Value) -> Result<(), Cause> {
        self.inner.graph.post(&[id], change).await.map(|_| ()).map_err(explained)
    }

    /// Deletes a template in one language (`id`), or in all.
    ///
    /// # Errors
    /// What Meta said.
    pub async fn delete_template(&self, name: &str, id: Option<&str>) -> Result<(), Cause> {
        let mut query = vec![("name", name)];
        query.extend(id.map(|id| ("hsm_id", id)));
        self.inner.graph.delete(&[&self.inner.ours.waba_id, "message_templates"], &query).await.map(|_| ())
    }

    /// Lets a template go again that was paused, five minutes after the pause at the earliest.
    ///
    /// # Errors
    /// What Meta said.
    pub async fn unpause_template(&self, id: &str) -> Result<(), Cause> {
        let answer = self.inner.graph.post(&[id, "unpause"], &json!({})).await?;
        // The answer is a 200 all the same.
        if answer["success"] == false {
            return Err(said(Reason::Unspecified, None, answer["reason"].as_str()));
        }
        Ok(())
    }
}

/// What the subcodes of a template that is handed in mean.
fn explained(cause: Cause) -> Cause {
    let sentence = match cause.provider_code.as_deref() {
        Some("100/2388024") => "A template of this name exists in this language.",
        Some("100/2388023") => "A template of this name and language was deleted within the last 30 days.",
        Some("100/2388019") => "The account has as many templates as it may.",
        Some("100/2388040") => "A field is too long.",
        Some("100/2388047") => "The header's form is not right.",
        Some("100/2388072") => "The body's form is not right.",
        Some("100/2388073") => "The footer's form is not right.",
        Some("100/2388293") => "The text has too many variables for its length.",
        Some("100/2388299") => "The text begins or ends with a variable.",
        _ => return cause,
    };
    Cause { detail: Some(sentence.to_owned()), ..cause }
}
