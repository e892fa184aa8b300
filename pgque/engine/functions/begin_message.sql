-- begin_message(batch, message) notes, before a worker handles the first message of an
-- open page, that it does. Returns how often that was begun and never finished, this
-- time included: above 1 a process has died in between, and when the message was
-- handled alone it died of the message. 0 when the batch is not open (any more).
--
-- A null message takes the note back, for a worker that stops in peace.
--
-- Has to be committed before the message is handled. A batch that another member of a
-- group, or the next holder of a slot, has taken over counts on from there.
create or replace function pgque.begin_message(i_batch_id bigint, i_msg_id bigint) returns integer
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_sub pgque.subscription := pgque._lock_batch(i_batch_id);
    v_times integer;
begin
    if v_sub.sub_no is null then
        return 0;
    end if;
    select coalesce(max(sub_begun_times), 0) + 1 into v_times
    from unnest(case v_sub.sub_role when 'coop_member' then pgque._subscriptions(v_sub.sub_queue) else array[v_sub] end) as s
    where sub_id = v_sub.sub_id and sub_begun_id = i_msg_id
      and (sub_begun_batch = i_batch_id
           or sub_begun_tick = v_sub.sub_last_tick and (sub_no <> v_sub.sub_no or sub_slot is not null));
    if i_msg_id is null then
        v_times := 0;
    end if;
    v_sub.sub_begun_batch := i_batch_id;
    v_sub.sub_begun_tick := v_sub.sub_last_tick;
    v_sub.sub_begun_id := i_msg_id;
    v_sub.sub_begun_times := v_times;
    perform pgque._store_cursor(v_sub);
    return v_times;
end
$$;
call pgque._allow('pgque_reader', 'pgque.begin_message(bigint, bigint)');
