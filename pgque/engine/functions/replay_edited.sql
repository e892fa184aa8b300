-- dlq_replay_edited(dead letter, type, payload) is dlq_replay with another type and
-- payload, for a dead letter that was mended by hand.
--
-- Raises as dlq_replay does; PQ009 for a null type or payload.
create or replace function pgque.dlq_replay_edited(i_dead_letter_id bigint, i_type text, i_payload text) returns bigint
language plpgsql security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
declare
    v_letter pgque.dead_letter;
begin
    if i_type is null or i_payload is null then
        raise exception 'type and payload must not be null' using errcode = 'PQ009';
    end if;
    select * into v_letter from pgque.dead_letter where dl_id = i_dead_letter_id for update;
    if not found then
        raise exception 'dead letter entry not found: %', i_dead_letter_id using errcode = 'PQ005';
    end if;
    v_letter.ev_type := i_type;
    v_letter.ev_data := i_payload;
    return pgque._replay(v_letter);
end
$$;
call pgque._allow('pgque_writer', 'pgque.dlq_replay_edited(bigint, text, text)');
