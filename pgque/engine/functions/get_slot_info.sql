-- get_slot_info() tells of the slots of partitioned consumers who works on what, and how
-- far it is: the lease, the last tick that is finished, and about how many events of the
-- queue lie before it. A slot that is not leased, or whose pending_events grow, needs
-- somebody to look after it.
create or replace function pgque.get_slot_info(
    out queue_name text, out consumer text, out slot integer, out n integer, out subscribed boolean,
    out lease_owner text, out lease_until timestamptz, out epoch bigint, out last_tick bigint, out pending_events bigint)
returns setof record
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
begin
    return query
        select q.queue_name, c.co_name, p.slot, c.n, s.sub_no is not null, p.lease_owner, p.lease_until, p.epoch,
               s.sub_last_tick, greatest(l.tick_event_seq - t.tick_event_seq, 0)
        from pgque.partition_consumer c
        join pgque.queue q on q.queue_id = c.queue_id
        cross join lateral pgque._last_tick(c.queue_id) l
        cross join lateral unnest(pgque._slots(c.queue_id, c.co_name)) p
        cross join lateral pgque._find_by_name(c.queue_id, c.co_name || '#' || p.slot) s
        left join pgque.tick t on t.tick_queue = c.queue_id and t.tick_id = s.sub_last_tick
        order by 1, 2, 3;
end
$$;
call pgque._allow('pgque_reader', 'pgque.get_slot_info()');

-- partition_slot_status is get_slot_info as a view. A view calls functions in the name of
-- whoever reads it; so those who were let read it, before it did that, may call this one.
create or replace view pgque.partition_slot_status as
select queue_name, consumer, slot, n, subscribed, lease_owner, lease_until, epoch, last_tick, pending_events
from pgque.get_slot_info();

do $$
declare
    v_role regrole;
begin
    for v_role in
        select grantee from pg_class, aclexplode(relacl)
        where oid = 'pgque.partition_slot_status'::regclass and privilege_type = 'SELECT' and grantee <> 0
    loop
        execute format('grant execute on function pgque.get_slot_info() to %s', v_role);
    end loop;
end
$$;
