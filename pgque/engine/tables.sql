-- The tables of the engine. The columns are public: monitoring queries read them.
--
-- Two rules shape them. Event tables are only ever inserted into and truncated, so
-- they hold no dead rows. The tables that do change are never searched through
-- their dead rows, so that a transaction left open for hours (a dump, a report)
-- cannot slow the consumers down.
--
-- Everything is made if it is missing: an upgrade runs this file to make the tables that
-- an older version did not have. What it lacks inside of others is in
-- upgrade/columns.sql.

-- One row: this installation.
create table if not exists pgque.config (
    singleton       boolean primary key default true check (singleton), -- always true: there is one row
    engine          text not null default 'pgque-go', -- who made this schema; Install refuses any other
    engine_version  text not null, -- version of this package that was put in last
    installed_at    timestamptz not null default clock_timestamp(), -- when the engine was made
    upgraded_at     timestamptz not null default clock_timestamp(), -- last time that another version was put in
    tick_period_ms  integer not null default 100, -- pause between two rounds of ticker_loop()
    idem_current    integer not null default 0 check (idem_current in (0, 1)), -- new keys of send_idem go to idem_<idem_current>
    scheduler       text,   -- what start() set up: pg_cron, or null
    ticker_job_id   bigint, -- its job that ticks
    maint_job_id    bigint  -- its job that runs maint()
);

-- A named log of events, kept in queue_ntables rotating tables.
create table if not exists pgque.queue (
    queue_id                    serial primary key, -- part of the names of its tables
    queue_name                  text not null unique, -- what callers know it by; at most 57 bytes
    queue_ntables               integer not null default 3, -- how many tables take turns
    queue_cur_table             integer not null default 0, -- events go to <queue_data_pfx>_<queue_cur_table>
    queue_rotation_period       interval not null default '2 hours', -- how long a table takes events before the next one does
    queue_switch_step1          bigint not null default pg_current_xact_id()::text::bigint, -- transaction that switched last
    queue_switch_step2          bigint default pg_current_xact_id()::text::bigint, -- later transaction that saw the switch; null in between
    queue_switch_time           timestamptz not null default clock_timestamp(), -- when the tables switched last
    queue_external_ticker       boolean not null default false, -- ticks come from outside
    queue_disable_insert        boolean not null default false, -- producers are refused
    queue_ticker_paused         boolean not null default false, -- no ticks at all
    queue_ticker_max_count      integer not null default 500, -- tick when that many events wait
    queue_ticker_max_lag        interval not null default '3 seconds', -- or when the last tick is that old and any wait
    queue_ticker_idle_period    interval not null default '1 minute', -- longest gap between ticks of an idle queue
    queue_data_pfx              text not null, -- pgque.event_<queue_id>, the parent of the event tables
    queue_event_seq             text not null, -- sequence of event ids
    queue_tick_seq              text not null, -- sequence of tick ids
    queue_extra_maint           text[], -- always null: the engine runs nobody else's functions
    queue_max_retries           integer, -- null means 5
    queue_forced_tick           bigint, -- tick at the next occasion while this is still the latest tick
    queue_table_ticks           bigint[] not null, -- for each event table, the latest tick when it became the current one
    queue_foreign_ids           boolean not null default false -- event ids were chosen by a caller, or drawn twice by a sequence that fell behind: ids and transactions do not rise together
) with (fillfactor = 50);

-- A recorded snapshot. Two of them make a window: the events that the later one
-- sees and the earlier one does not.
--
-- Ticks are inserted at the right edge and deleted, rarely, at the left one, when
-- tables rotate; readers search from a known tick to the right.
create table if not exists pgque.tick (
    tick_queue      integer not null references pgque.queue on delete cascade, -- whose tick
    tick_id         bigint not null, -- rises from tick to tick, with gaps
    tick_time       timestamptz not null default clock_timestamp(), -- when it was taken
    tick_snapshot   pg_snapshot not null, -- which transactions had ended
    tick_event_seq  bigint not null, -- last event id drawn, read before the snapshot was taken
    tick_event_high bigint, -- last event id drawn, read after it; null means unknown
    tick_next_xid   xid8,   -- a transaction above it began after tick_event_seq was read; null means unknown
    primary key (tick_queue, tick_id)
);

-- A consumer's name; it may be subscribed to many queues.
create table if not exists pgque.consumer (
    co_id   serial primary key, -- its number
    co_name text not null unique -- what callers know it by
);

-- A batch id is (counter * 2^22) + sub_no: it names the row that ack has to find,
-- and no index on the ever changing sub_batch is needed.
create sequence if not exists pgque.batch_id_seq;
create sequence if not exists pgque.subscription_no_seq as integer maxvalue 4194303 cycle;

-- The cursor of one consumer on one queue.
--
-- The row changes twice for each page. While old snapshots are held none of its
-- versions can be removed, and an index search would step over all of them. So no
-- changing column is indexed (updates stay within the page as long as it has room,
-- hence the fillfactor), except sub_gen, which rises every 32 changes: searching
-- for the highest generation first meets the living version among the first few.
create table if not exists pgque.subscription (
    sub_id          serial, -- owner of retries; the same for all members of a cooperative group
    sub_queue       integer not null references pgque.queue on delete cascade, -- where it reads
    sub_consumer    integer not null references pgque.consumer, -- who reads
    sub_last_tick   bigint, -- start of the window: everything that this tick saw is done, or with a member of the group; null for an idle member
    sub_active      timestamptz not null default clock_timestamp(), -- last time a batch was opened
    sub_batch       bigint, -- id of the open batch; null when there is none
    sub_next_tick   bigint, -- end of the window; set from its first page to its last
    sub_role        text not null default 'normal' check (sub_role in ('normal', 'coop_main', 'coop_member')), -- a consumer of its own, the position of a group, or a member of one
    sub_was_coop    boolean not null default false, -- a normal consumer now, but one that may have members again without being asked
    sub_slot        integer, -- of a partitioned consumer: it sees the keys of this slot only
    sub_slots       integer, -- of that many
    sub_epoch       bigint, -- lease under which sub_batch was handed out
    sub_no          integer not null default nextval('pgque.subscription_no_seq'), -- the row's own number, part of its batch ids
    sub_done_id     bigint, -- events of the window up to this id are done; null at its start
    sub_page_end    bigint, -- last event id handed out under sub_batch; null when the batch is the whole rest of the window
    sub_page_rows   integer, -- how many were handed out
    sub_page_last   boolean not null default false, -- nothing of the window is left behind the page
    sub_begun_batch bigint, -- the message that a worker noted before it handled it, in case it dies of it: its batch,
    sub_begun_tick  bigint, -- the start of its window,
    sub_begun_id    bigint, -- its id,
    sub_begun_times integer, -- and how often that was noted
    sub_moves       bigint not null default 0, -- changes so far
    sub_gen         bigint not null default 0, -- rises every 32 moves
    primary key (sub_queue, sub_consumer, sub_gen),
    unique (sub_no, sub_gen)
) with (fillfactor = 20);

-- The shape of all event tables.
create table if not exists pgque.event_template (
    ev_id       bigint not null, -- decides the order within a window
    ev_time     timestamptz not null default now(), -- when its transaction began
    ev_txid     xid8 default pg_current_xact_id(), -- top-level transaction that inserted the row
    ev_owner    integer, -- sub_id of the only subscription that sees it; null means all
    ev_retry    integer, -- how often it was put back
    ev_type     text, -- what kind of event
    ev_data     text, -- the payload
    ev_extra1   text, -- the partition key, or whatever the producer likes
    ev_extra2   text, -- whatever the producer likes
    ev_extra3   text, -- the same
    ev_extra4   text -- the same
);

-- Events that were put back, until they are due. Like delayed it is written anew when
-- vacuum may not clean it up (_compact).
create table if not exists pgque.retry_queue (
    ev_retry_after  timestamptz not null, -- when it is due
    ev_queue        integer not null references pgque.queue on delete cascade, -- where it goes then
    like pgque.event_template,
    primary key (ev_owner, ev_id)
);
create index if not exists retry_queue_due on pgque.retry_queue (ev_queue, ev_retry_after);

-- Events that used up their retries, or were rejected. They belong to the
-- consumer, not to the worker that gave up.
create table if not exists pgque.dead_letter (
    dl_id           bigserial primary key, -- what it is replayed by
    dl_queue_id     integer not null references pgque.queue on delete cascade, -- where it came from
    dl_consumer_id  integer not null references pgque.consumer on delete cascade, -- who gave up; of a cooperative group the group
    dl_time         timestamptz not null default clock_timestamp(), -- when
    dl_reason       text, -- and why
    like pgque.event_template,
    unique (dl_queue_id, dl_consumer_id, ev_id)
);
create index if not exists dead_letter_time on pgque.dead_letter (dl_queue_id, dl_time);

-- Events that are sent at a later time. A row lives once and is deleted once; vacuum
-- comes early, so that the table is no larger than what waits in it.
create table if not exists pgque.delayed (
    de_id           bigserial primary key, -- what it is cancelled by; no event id
    de_queue        integer not null references pgque.queue on delete cascade, -- where it goes
    de_deliver_at   timestamptz not null, -- and when
    de_type         text, -- ev_type, ev_data and the extras of the event to be
    de_data         text,
    de_extra1       text,
    de_extra2       text,
    de_extra3       text,
    de_extra4       text
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index if not exists delayed_due on pgque.delayed (de_queue, de_deliver_at);

-- Keys of send_idem and the events they stand for, in two tables that take turns: when
-- all keys of one have expired it is truncated and takes the new ones.
create table if not exists pgque.idem (
    queue_id    integer not null, -- a key belongs to one queue
    idem_key    text not null, -- the key
    event_id    bigint not null, -- what was sent under it
    expires_at  timestamptz not null -- until then it is not sent again
);
create table if not exists pgque.idem_0 (primary key (queue_id, idem_key)) inherits (pgque.idem);
create table if not exists pgque.idem_1 (primary key (queue_id, idem_key)) inherits (pgque.idem);
create index if not exists idem_expires_at_idx on pgque.idem (expires_at);
create index if not exists idem_0_expires_at_idx on pgque.idem_0 (expires_at);
create index if not exists idem_1_expires_at_idx on pgque.idem_1 (expires_at);

-- A consumer whose keys are spread over n slots.
create table if not exists pgque.partition_consumer (
    queue_id    integer not null references pgque.queue on delete cascade, -- where it reads
    co_name     text not null, -- its name
    n           integer not null check (n between 1 and 256), -- how many slots it has
    primary key (queue_id, co_name)
);

-- Who may work on a slot, and until when. The slot's cursor is the subscription of the
-- consumer co_name#slot. The row changes with each renewal of a lease, and is kept as
-- that of a subscription is; who inserts it has locked the name of that subscription.
create table if not exists pgque.partition_slot (
    queue_id    integer not null, -- of which queue
    co_name     text not null, -- of which consumer
    slot        integer not null, -- its number, from 0
    lease_owner text, -- null when nobody claimed it
    lease_until timestamptz, -- when the lease ends, unless it is renewed
    lease_ttl   interval, -- how long it was asked for last
    epoch       bigint not null default 0, -- rises with every change of hands
    wanted_by   text, -- who asks the holder to hand it over
    wanted_until timestamptz, -- and until when that counts
    moves       bigint not null default 0, -- changes so far
    gen         bigint not null default 0, -- rises every 32 moves
    primary key (queue_id, co_name, slot, gen),
    foreign key (queue_id, co_name) references pgque.partition_consumer on delete cascade
) with (fillfactor = 20);

-- One event as one consumer receives it. The order of the fields is part of the API.
do $$
begin
    if to_regtype('pgque.message') is not null then
        return;
    end if;
    create type pgque.message as (
        msg_id      bigint, -- ev_id
        batch_id    bigint, -- names the page, for ack and nack
        type        text, -- ev_type
        payload     text, -- ev_data
        retry_count integer, -- how often it was put back; null the first time
        created_at  timestamptz, -- ev_time
        extra1      text, -- ev_extra1 to ev_extra4
        extra2      text,
        extra3      text,
        extra4      text
    );
end
$$;

-- What bounds a window, as its two ticks tell (_window_sql).
do $$
begin
    if to_regtype('pgque.window') is not null then
        return;
    end if;
    create type pgque.window as (
        low_mark        bigint, -- transactions above next_xid drew only ids above it
        high_mark       bigint, -- no id is above it; null means unknown
        last_snapshot   pg_snapshot, -- whose events the window does not hold
        next_snapshot   pg_snapshot, -- whose events it does
        running         xid8[], -- running at the last tick, and ended by the next one
        first_xid       xid8, -- no transaction below it but those is in the window
        next_xid        xid8, -- see low_mark
        owner           integer, -- sub_id of the subscription that looks
        slots           integer, -- sub_slots and sub_slot of it
        slot            integer
    );
end
$$;

-- One event as pull returns it, and the tick that was made.
do $$
begin
    if to_regtype('pgque.pulled') is null then
        create type pgque.pulled as (
            msg_id bigint, batch_id bigint, type text, payload text, retry_count integer, created_at timestamptz,
            extra1 text, extra2 text, extra3 text, extra4 text, -- as in message
            tick_id bigint);
    end if;
end
$$;
