//! The mailbox, and one post for any number of events.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

use super::rig::{Rig, event, key, poll, posted, publish, read};
use crate::hub::StartFrom;
use crate::hub::{Mailbox, Phase};

#[derive(Default)]
struct Counted(AtomicUsize);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn posts_are_taken_in_order_and_wake_once() {
    let mailbox = Mailbox::default();
    let counted = Arc::<Counted>::default();
    let waker = Waker::from(counted.clone());
    let mut cx = Context::from_waker(&waker);
    let mut slots = Vec::new();
    assert_eq!(mailbox.poll_take(&mut cx, &mut slots), Poll::Pending);
    [3, 1, 2].into_iter().for_each(|slot| mailbox.post(slot));
    assert_eq!(counted.0.load(SeqCst), 1, "a task that is awake already needs no second wake");
    assert_eq!(mailbox.poll_take(&mut cx, &mut slots), Poll::Ready(()));
    assert_eq!(slots, [3, 1, 2]);
    assert_eq!(mailbox.poll_take(&mut cx, &mut slots), Poll::Pending);
    assert_eq!(slots, [3, 1, 2], "nothing is taken twice");
}

#[test]
fn the_waker_that_was_registered_last_is_woken() {
    let mailbox = Mailbox::default();
    let (former, latter) = (Arc::<Counted>::default(), Arc::<Counted>::default());
    for counted in [&former, &latter] {
        let waker = Waker::from(counted.clone());
        let taken = mailbox.poll_take(&mut Context::from_waker(&waker), &mut Vec::new());
        assert_eq!(taken, Poll::Pending);
    }
    mailbox.post(0);
    assert_eq!((former.0.load(SeqCst), latter.0.load(SeqCst)), (0, 1));
}

#[test]
fn a_wait_that_was_dropped_takes_no_post_with_it() {
    let mailbox = Mailbox::default();
    let mut wait = Box::pin(mailbox.wait());
    assert_eq!(poll(&mut wait), Poll::Pending);
    mailbox.post(0);
    drop(wait);
    assert_eq!(poll(&mut Box::pin(mailbox.wait())), Poll::Ready(()));
    assert_eq!(poll(&mut Box::pin(mailbox.wait())), Poll::Pending);
}

#[tokio::test]
async fn a_topic_posts_once_until_its_news_is_read() {
    let rig = Rig::new(|_| {});
    let mailbox = Arc::default();
    let membership = rig.join_as(&mailbox, 7);
    let mut publisher = rig.publisher().expect("a feed");
    publish(&mut publisher, [event("1"), event("2")]);
    publish(&mut publisher, [event("3")]);
    publisher.open();
    assert_eq!(posted(&mailbox), [7]);
    publish(&mut publisher, [event("4")]);
    assert_eq!(posted(&mailbox), [0; 0], "taken, and not yet read");
    assert!(read(&membership, 1).contains("data: 4\n"));
    publish(&mut publisher, [event("5")]);
    assert_eq!(posted(&mailbox), [7]);
}

#[tokio::test]
async fn a_change_of_phase_is_posted_and_none_is_not() {
    let rig = Rig::new(|_| {});
    let mailbox = Arc::default();
    let membership = rig.join_as(&mailbox, 0);
    let publisher = rig.publisher().expect("a feed");
    assert_eq!(membership.phase(), Phase::Opening);
    publisher.open();
    assert_eq!((posted(&mailbox), membership.phase()), (vec![0], Phase::Open));
    read(&membership, 1);
    publisher.open();
    assert_eq!(posted(&mailbox), [0; 0]);
    drop(publisher);
    assert_eq!(posted(&mailbox), [0]);
}

#[tokio::test]
async fn an_empty_read_of_the_upstream_wakes_nobody() {
    let rig = Rig::new(|_| {});
    let mailbox = Arc::default();
    let _membership = rig.join_as(&mailbox, 0);
    let mut publisher = rig.publisher().expect("a feed");
    publish(&mut publisher, []);
    assert_eq!(posted(&mailbox), [0; 0]);
}

#[tokio::test]
async fn each_connection_is_posted_the_slot_of_its_own_choice() {
    let rig = Rig::new(|_| {});
    let (one, other) = (Arc::default(), Arc::default());
    let _first = rig.join_as(&one, 4);
    let _second = rig.join_as(&other, 9);
    let elsewhere = rig.hub.join(&key("/elsewhere"), &StartFrom::Fresh, &rig.policy, &one, 5);
    let mut publisher = rig.publisher().expect("a feed");
    publish(&mut publisher, [event("1")]);
    assert_eq!((posted(&one), posted(&other)), (vec![4], vec![9]));
    let mut elsewhere_publisher = rig.publisher().expect("a second feed");
    publish(&mut elsewhere_publisher, [event("1")]);
    assert_eq!((posted(&one), posted(&other)), (vec![5], vec![]));
    drop(elsewhere);
}
