-- Columns that tables of older versions lack, and what has to change with them. What they
-- mean is said in tables.sql.
--
-- A table is locked against everybody while it gets a column. Sessions at work hold
-- several tables, in orders of their own; so all are locked at once, or none: whoever is
-- in the way is waited for briefly, then let past, over and over for about a minute.
--
-- Raises 55P03 when a transaction that used one of the tables does not end meanwhile.
do $$
declare
    v_changes text[];
    v_tables text;
    v_lock_timeout text := current_setting('lock_timeout');
begin
    select array_agg(format('alter table pgque.%I add column %I %s', in_table, column_name, definition)),
           string_agg(distinct format('pgque.%I', in_table), ', ')
    into v_changes, v_tables
    from (values
        ('config', 'idem_current', 'integer not null default 0 check (idem_current in (0, 1))'),
        ('subscription', 'sub_was_coop', 'boolean not null default false'),
        ('subscription', 'sub_slot', 'integer'),
        ('subscription', 'sub_slots', 'integer'),
        ('subscription', 'sub_epoch', 'bigint'),
        ('subscription', 'sub_begun_batch', 'bigint'),
        ('subscription', 'sub_begun_tick', 'bigint'),
        ('subscription', 'sub_begun_id', 'bigint'),
        ('subscription', 'sub_begun_times', 'integer'),
        ('partition_slot', 'wanted_by', 'text'),
        ('partition_slot', 'wanted_until', 'timestamptz'),
        ('partition_slot', 'moves', 'bigint not null default 0'),
        ('partition_slot', 'gen', 'bigint not null default 0, drop constraint partition_slot_pkey,'
                                  ' add primary key (queue_id, co_name, slot, gen), set (fillfactor = 20)'),
        ('delayed', 'de_extra1', 'text'),
        ('delayed', 'de_extra2', 'text'),
        ('delayed', 'de_extra3', 'text'),
        ('delayed', 'de_extra4', 'text')
    ) as wanted (in_table, column_name, definition)
    where to_regclass('pgque.' || in_table) is not null -- tables.sql makes it otherwise
      and not exists (select from pg_attribute
                      where attrelid = to_regclass('pgque.' || in_table) and attname = column_name and not attisdropped);
    if v_changes is null then
        return;
    end if;

    perform set_config('lock_timeout', '200ms', true);
    for attempt in 1 .. 300 loop
        begin
            execute format('lock table %s in access exclusive mode', v_tables);
            exit;
        exception
            when lock_not_available or deadlock_detected then
                if attempt = 300 then
                    raise exception 'the engine is in use by a transaction that does not end' using
                        errcode = '55P03', detail = 'tables: ' || v_tables,
                        hint = 'Upgrade when no transaction has been open for longer than a minute.';
                end if;
                perform pg_sleep(random() * 0.05);
        end;
    end loop;
    perform set_config('lock_timeout', v_lock_timeout, true);

    for i in 1 .. cardinality(v_changes) loop
        execute v_changes[i];
    end loop;
end
$$;
