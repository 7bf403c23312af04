mod access;
mod channels;
mod messages;
mod people;
mod subscriptions;
mod templates;
