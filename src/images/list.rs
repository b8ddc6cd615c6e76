//! Listing images, one image, and how it was made.

use images::{Digest, Image, Reference};

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::filters::{self, Filters};

const FILTERS: [&str; 6] = ["before", "dangling", "label", "reference", "since", "until"];

impl Engine {
    /// Images, the newest first.
    pub fn image_list(&self, filters: &Filters) -> Result<Vec<api::ImageSummary>> {
        filters::only(filters, &FILTERS)?;
        let border = |name: &str| match filters::values(filters, name).last() {
            None => Ok(None),
            Some(image) => self.store.resolve(image).map(|found| Some(seconds(&found))),
        };
        let (before, since) = (border("before")?, border("since")?);
        let until = filters::values(filters, "until").last().map(|text| parse_until(text)).transpose()?;
        let dangling = filters::switch(filters, "dangling")?;
        let mut images = self.store.images()?;
        images.retain(|image| {
            let created = seconds(image);
            before.is_none_or(|border| created < border)
                && since.is_none_or(|border| created > border)
                && until.is_none_or(|border| created < border)
                && dangling.is_none_or(|wanted| is_dangling(image) == wanted)
                && filters::any(filters, "reference", |pattern| {
                    image.names.iter().any(|name| is_like(name, pattern))
                })
                && filters::labels(filters, &image.config.config.labels)
        });
        images.sort_by_key(|image| std::cmp::Reverse(seconds(image)));
        images.iter().map(|image| self.image_summary(image)).collect()
    }

    fn image_summary(&self, image: &Image) -> Result<api::ImageSummary> {
        let labels = image.config.config.labels.clone();
        let size = self.image_size(image)?;
        Ok(api::ImageSummary {
            id: image.id.to_string(),
            repo_tags: Some(tags(image)),
            repo_digests: Some(digests(image)),
            created: seconds(image),
            size,
            virtual_size: Some(size),
            shared_size: -1,
            labels: Some(labels).filter(|labels| !labels.is_empty()),
            containers: -1,
            ..Default::default()
        })
    }

    /// All that is known of one image.
    pub fn image_inspect(&self, name: &str) -> Result<api::ImageInspect> {
        let image = self.store.resolve(name).map_err(|error| match error.kind() {
            // Docker says it twice here.
            images::ErrorKind::NotFound => {
                Error::new(crate::error::ErrorKind::NotFound, format!("no such image: {name}: {error}"))
            }
            _ => error.into(),
        })?;
        let size = self.image_size(&image)?;
        let config = &image.config;
        let lower = self.snapshots.lower_dirs(&config.rootfs.diff_ids).unwrap_or_default();
        let lower: Vec<String> = lower.iter().map(|folder| folder.display().to_string()).collect();
        let layers: Vec<String> = config.rootfs.diff_ids.iter().map(Digest::to_string).collect();
        Ok(api::ImageInspect {
            id: image.id.to_string(),
            repo_tags: Some(tags(&image)),
            repo_digests: Some(digests(&image)),
            comment: config.comment.clone(),
            created: config.created.clone(),
            docker_version: config.docker_version.clone(),
            author: config.author.clone(),
            config: run_config(config),
            architecture: config.architecture.clone(),
            variant: config.variant.clone(),
            os: config.os.clone(),
            size,
            virtual_size: Some(size),
            graph_driver: api::GraphDriver {
                name: "overlay2".to_owned(),
                data: Some([("LowerDir".to_owned(), lower.join(":"))].into()),
            },
            rootfs: api::RootFs {
                kind: "layers".to_owned(),
                layers: Some(layers).filter(|all| !all.is_empty()),
            },
            metadata: api::ImageMetadata { last_tag_time: crate::containers::NEVER.to_owned() },
            ..Default::default()
        })
    }

    /// The steps of an image's making, the last first.
    pub fn image_history(&self, name: &str) -> Result<Vec<api::ImageHistoryItem>> {
        let image = self.store.resolve(name)?;
        let mut layers = layers::chain_ids(&image.config.rootfs.diff_ids).into_iter();
        let mut items = Vec::new();
        for step in &image.config.history {
            let layer = if step.empty_layer { None } else { layers.next() };
            let size = layer.map_or(Ok(0), |layer| self.snapshots.size(&layer))?;
            items.push(history_item(step, size as i64));
        }
        // Images whose config has forgotten how they were made still have layers.
        for layer in layers {
            items.push(history_item(&images::History::default(), self.snapshots.size(&layer)? as i64));
        }
        items.reverse();
        if let Some(last) = items.first_mut() {
            last.id = image.id.to_string();
            last.tags = Some(tags(&image)).filter(|tags| !tags.is_empty());
        }
        Ok(items)
    }

    fn image_size(&self, image: &Image) -> Result<i64> {
        let chain = layers::chain_ids(&image.config.rootfs.diff_ids);
        let sizes: layers::Result<Vec<u64>> = chain.iter().map(|layer| self.snapshots.size(layer)).collect();
        Ok(sizes?.into_iter().sum::<u64>() as i64)
    }
}

fn history_item(step: &images::History, size: i64) -> api::ImageHistoryItem {
    api::ImageHistoryItem {
        id: "<missing>".to_owned(),
        created: step.created.as_deref().and_then(parse_seconds).unwrap_or(0),
        created_by: step.created_by.clone(),
        tags: None,
        size,
        comment: step.comment.clone(),
    }
}

fn tags(image: &Image) -> Vec<String> {
    image.names.iter().filter(|name| name.digest.is_none()).map(Reference::familiar).collect()
}

fn digests(image: &Image) -> Vec<String> {
    image.names.iter().filter(|name| name.digest.is_some()).map(Reference::familiar).collect()
}

fn is_dangling(image: &Image) -> bool {
    image.names.iter().all(|name| name.digest.is_some())
}

/// A pattern is matched with the name as a user types it, with and without its version.
fn is_like(name: &Reference, pattern: &str) -> bool {
    [name.familiar(), name.familiar_name()].iter().any(|text| filters::matches(pattern, text))
}

fn parse_seconds(time: &str) -> Option<i64> {
    time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

fn seconds(image: &Image) -> i64 {
    image.config.created.as_deref().and_then(parse_seconds).unwrap_or(0)
}

fn parse_until(text: &str) -> Result<i64> {
    let plain = text.split('.').next().and_then(|whole| whole.parse().ok());
    let invalid =
        || Error::new(crate::error::ErrorKind::InvalidParameter, format!("invalid filter 'until={text}'"));
    plain.or_else(|| parse_seconds(text)).ok_or_else(invalid)
}

fn run_config(config: &images::ImageConfig) -> api::ContainerConfig {
    let own = &config.config;
    let list = |list: &[String]| Some(list.to_vec()).filter(|list| !list.is_empty());
    let set = |map: &std::collections::BTreeMap<String, images::Empty>| {
        let set: api::Set = map.keys().map(|key| (key.clone(), api::Empty {})).collect();
        Some(set).filter(|set| !set.is_empty())
    };
    api::ContainerConfig {
        user: own.user.clone(),
        exposed_ports: set(&own.exposed_ports),
        env: list(&own.env),
        cmd: own.cmd.clone(),
        healthcheck: own.healthcheck.clone().and_then(|check| serde_json::from_value(check).ok()),
        volumes: set(&own.volumes),
        working_dir: own.working_dir.clone(),
        entrypoint: own.entrypoint.clone(),
        on_build: list(&own.on_build),
        labels: Some(own.labels.clone()).filter(|labels| !labels.is_empty()),
        stop_signal: Some(own.stop_signal.clone()).filter(|signal| !signal.is_empty()),
        shell: list(&own.shell),
        ..Default::default()
    }
}
