-- try_odd_arguments calls every function that an admin may call, with one odd argument after the other and
-- sensible ones beside it, and takes each call back. Of calls that were refused in other
-- words than the engine's own, and of those after which upkeep or monitoring fails, it
-- keeps a line in pg_temp.wrong.
create temp table wrong (line text);

create temp table sensible (for_type text, for_name text, for_function text, value text); -- the first that fits
insert into sensible values
    ('text', 'queue', '^ticker$', $$'outside'$$), ('text', 'queue', '.', $$'q'$$), ('text', 'subconsumer', '.', $$'m'$$), ('text', 'worker', '.', $$'w'$$),
    ('text', 'consumer', 'coop|subconsumer', $$'g'$$), ('text', 'consumer', 'slot|partitioned', $$'parts'$$), ('text', 'consumer', '.', $$'c'$$),
    ('text', 'param_name', '.', $$'max_retries'$$), ('text', 'param_value', '.', $$'3'$$), ('text', 'seq_name', '.', $$'pgque.event_1_id_seq'$$),
    ('text', 'where', '.', $$'true'$$), ('text', '.', '.', $$'x'$$),
    ('bigint', 'batch', 'partitioned', '(select sub_batch from pgque.subscription where sub_slot = 0)'),
    ('bigint', 'batch', '.', $$(select sub_batch from pgque.subscription join pgque.consumer on co_id = sub_consumer where co_name = 'c')$$),
    ('integer', '^i_n$', '.', '2'), ('integer', 'max', '.', '10'), ('integer', 'period', '.', '100'), ('integer', '.', '.', '0'),
    ('bigint', '.', '.', '1'), ('boolean', '.', '.', 'true'), ('interval', '.', '.', $$'30 seconds'$$), ('timestamp with time zone', '.', '.', 'now()'),
    ('text[]', '.', '.', $$'{x}'$$), ('jsonb[]', '.', '.', $$'{"1"}'$$), ('jsonb', '.', '.', $$'{}'$$), ('xid8', '.', '.', $$'1'$$),
    ('bigint[]', '.', '.', $$'{1}'$$), ('double precision[]', '.', '.', $$'{0}'$$), ('boolean[]', '.', '.', $$'{f}'$$),
    ('pgque.message', '.', '.', 'row(1, null, null, null, null, null, null, null, null, null)');

create temp table odd (for_type text, value text);
insert into odd select t, v from (values
    ('text', array[$$''$$, $$repeat('é', 29)$$, $$'a''b"c'$$, $q$'$$'$q$, $$'a.b'$$, $$'infinity'$$,
        $$(select string_agg(md5(i::text), '') from generate_series(1, 400) i)$$]),
    ('bigint', array['0', '-1', $$'9223372036854775807'$$, $$'-9223372036854775808'$$]),
    ('integer', array['0', '-1', '2147483647', $$'-2147483648'$$, '257']),
    ('interval', array[$$'0'$$, $$'-1 second'$$, $$'178000000 years'$$, $$'-178000000 years'$$, $$'1 month -30 days'$$, $$(case when current_setting('server_version_num')::int >= 170000 then 'infinity' else '0' end)$$]),
    ('timestamp with time zone', array[$$'infinity'$$, $$'-infinity'$$, $$'294276-12-31'$$, $$'4713-01-01 BC'$$]),
    ('boolean', array['false']), ('xid8', array[$$'0'$$]),
    ('text[]', array[$$'{}'$$, $$'{null}'$$, $$'{{a,b},{c,d}}'$$, $$'[5:6]={a,b}'$$]), ('jsonb[]', array[$$'{}'$$, $$'{null}'$$]),
    ('jsonb', array[$$'null'$$, $$'[]'$$, $$'1'$$, $$'{"max_retries": {}}'$$, $$'{"": 1}'$$, $$'{"rotation_period": "290000 years"}'$$]),
    ('bigint[]', array[$$'{}'$$, $$'{null}'$$, $$'{1,1}'$$, $$'{-9223372036854775808}'$$, $$'{{1,2}}'$$]),
    ('double precision[]', array[$$'{}'$$, $$'{NaN}'$$, $$'{infinity}'$$, $$'{-infinity}'$$, $$'{null}'$$]),
    ('boolean[]', array[$$'{}'$$, $$'{null}'$$]),
    ('pgque.message', array['row(null, null, null, null, null, null, null, null, null, null)', $$row('-9223372036854775808', null, null, null, null, null, null, null, null, null)$$])
) as types (t, vs), unnest(vs || 'null'::text) as v;

create procedure pg_temp.try_odd_arguments() language plpgsql as $$
declare
    v_function record;
    v_call text;
    v_code text;
    v_message text;
begin
    for v_function in
        select oid, proname, array(select format_type(t, null) from unnest(proargtypes) as t) as types, proargnames as names
        from pg_proc
        where pronamespace = 'pgque'::regnamespace and prokind = 'f' and pronargs > 0 and prorettype <> 'trigger'::regtype
          and has_function_privilege(oid, 'execute') and proname not like 'triga\_%'
        order by proname, oid
    loop
        for v_call in
            with arguments as (
                select n, type, (select value from sensible where for_type = type and v_function.names[n] ~ for_name
                                 and v_function.proname ~ for_function limit 1) as value
                from unnest(v_function.types) with ordinality as a(type, n))
            select format('select pgque.%I(%s)', v_function.proname, (
                select string_agg(format('%s::%s', case when b.n = a.n then odd.value else b.value end, b.type), ', ' order by b.n) from arguments b))
            from arguments a join odd on for_type = a.type
        loop
            begin
                execute v_call;
                begin
                    if v_function.proname <> 'drop_queue' then
                        perform pgque.tick_queue('q'), pgque.maint_queue('q');
                    end if;
                    perform pgque.maint(), pgque.status(), pgque.get_queue_info(), pgque.get_consumer_info(), pgque.get_slot_info();
                exception
                    when others then
                        raise exception 'then: %', sqlerrm using errcode = 'XXXXX';
                end;
                raise exception 'taken back' using errcode = 'PQ000';
            exception
                when others then
                    get stacked diagnostics v_code = returned_sqlstate, v_message = message_text;
            end;
            if v_code not like 'PQ%' then
                insert into wrong values (format(E'%s %s\n%s', v_code, v_message, left(v_call, 500)));
            end if;
            commit;
        end loop;
    end loop;
end
$$;
