//! Progress as the API tells it: a JSON object a line.

use super::error::{Answered, Failure};
use super::streams::Feed;
use crate::error::Error;
use crate::images::Progress;

/// Sends one line; false when the client has gone.
pub fn send(feed: &Feed, message: &api::ProgressMessage) -> bool {
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.extend(b"\r\n");
    feed.send(line)
}

/// One piece of news in Docker's words.
pub fn message(news: &Progress) -> api::ProgressMessage {
    let text = news.status();
    if let Progress::Loaded(_) = news {
        return api::ProgressMessage { stream: Some(format!("{text}\n")), ..Default::default() };
    }
    let amount = |(current, total)| api::ProgressDetail {
        current: i64::try_from(current).unwrap_or(i64::MAX),
        total: i64::try_from(total).unwrap_or(i64::MAX),
    };
    // What is told of a layer has an amount, be it empty.
    let of_layer = news.id().is_some() && !matches!(news, Progress::PullingFrom { .. });
    api::ProgressMessage {
        status: Some(text),
        progress_detail: of_layer.then(|| news.amount().map(amount).unwrap_or_default()),
        id: news.id().map(str::to_owned),
        ..Default::default()
    }
}

/// How a failure is told: as the answer's status where nothing has been said yet, as the last line otherwise.
pub fn end(feed: &Feed, said: bool, result: Result<(), Error>) -> Answered<()> {
    let failure = match result {
        Ok(()) => return Ok(()),
        Err(error) => Failure::from(error),
    };
    if !said {
        return Err(failure);
    }
    let line = api::ProgressMessage {
        error_detail: Some(api::ErrorDetail { code: None, message: failure.message.clone() }),
        error: Some(failure.message),
        ..Default::default()
    };
    send(feed, &line);
    Ok(())
}
