-- Triggers that turn changes of a table into events:
--
--     create trigger t after insert or update or delete on customer
--         for each row execute function pgque.jsontriga('queue', 'backup');
--
-- jsontriga   ev_type {"op":"INSERT","table":["schema","name"],"pkey":["id"]}, ev_data a JSON object
-- logutriga   ev_type I:pkey, U:pkey or D:pkey, ev_data url-encoded columns
-- sqltriga    ev_type I, U or D, ev_data the rest of the SQL statement
--
-- ev_extra1 is schema.table. After TRUNCATE (for each statement) the type is R, or op
-- TRUNCATE. The first argument is the queue; any of these may follow:
--
--     SKIP              the change itself does not happen (before triggers)
--     backup            ev_extra2 has the old row of an update
--     ignore=a,b        columns that are left out; an update of nothing else is no event
--     pkey=a,b          key columns, instead of those of the primary key
--     when=EXPR         no event unless this is true
--     ev_type=EXPR      instead of the usual value; likewise ev_data, ev_extra1 .. ev_extra4
--
-- EXPR is SQL over the columns of the row. It runs, as the insert does, with the rights
-- of whoever changes the table: he has to be a writer.
--
-- Raises PQ009 for an argument that is none of these, 0A000 for changes that cannot be
-- expressed: of a row without a key, or, in sqltriga, of the key itself.

create or replace function pgque.jsontriga() returns trigger
language plpgsql as $$
begin
    case tg_op
        when 'INSERT' then perform pgque.triga_row_event('json', tg_op, tg_relid, tg_argv, new, new);
        when 'UPDATE' then perform pgque.triga_row_event('json', tg_op, tg_relid, tg_argv, new, old);
        when 'DELETE' then perform pgque.triga_row_event('json', tg_op, tg_relid, tg_argv, old, old);
        else perform pgque.triga_truncate_event('json', tg_relid, tg_argv);
    end case;
    return pgque.triga_result(tg_op, tg_when, tg_argv, new, old);
end
$$;

create or replace function pgque.logutriga() returns trigger
language plpgsql as $$
begin
    case tg_op
        when 'INSERT' then perform pgque.triga_row_event('url', tg_op, tg_relid, tg_argv, new, new);
        when 'UPDATE' then perform pgque.triga_row_event('url', tg_op, tg_relid, tg_argv, new, old);
        when 'DELETE' then perform pgque.triga_row_event('url', tg_op, tg_relid, tg_argv, old, old);
        else perform pgque.triga_truncate_event('url', tg_relid, tg_argv);
    end case;
    return pgque.triga_result(tg_op, tg_when, tg_argv, new, old);
end
$$;

create or replace function pgque.sqltriga() returns trigger
language plpgsql as $$
begin
    case tg_op
        when 'INSERT' then perform pgque.triga_row_event('sql', tg_op, tg_relid, tg_argv, new, new);
        when 'UPDATE' then perform pgque.triga_row_event('sql', tg_op, tg_relid, tg_argv, new, old);
        when 'DELETE' then perform pgque.triga_row_event('sql', tg_op, tg_relid, tg_argv, old, old);
        else perform pgque.triga_truncate_event('sql', tg_relid, tg_argv);
    end case;
    return pgque.triga_result(tg_op, tg_when, tg_argv, new, old);
end
$$;

-- triga_result is what the trigger returns: nothing with SKIP, else the row.
create or replace function pgque.triga_result(i_op text, i_when text, i_args text[], i_new record, i_old record)
returns record
language plpgsql as $$
begin
    if 'SKIP' <> all (i_args[1:]) then
        return case i_op when 'DELETE' then i_old when 'TRUNCATE' then null else i_new end;
    elsif i_when <> 'BEFORE' then
        raise exception 'SKIP does not work in AFTER trigger.' using errcode = 'PQ009';
    end if;
    return null;
end
$$;
call pgque._allow('pgque_writer', 'pgque.triga_result(text, text, text[], record, record)');

-- triga_option returns the value of the argument name=value, or null.
create or replace function pgque.triga_option(i_args text[], i_name text) returns text
language sql immutable as $$
    select substr(arg, length(i_name) + 2) from unnest(i_args[1:]) as arg where starts_with(arg, i_name || '=') limit 1
$$;
call pgque._allow('pgque_writer', 'pgque.triga_option(text[], text)');

-- triga_check_args raises PQ009 for arguments that mean nothing.
create or replace function pgque.triga_check_args(i_args text[]) returns void
language plpgsql as $$
declare
    v_arg text;
begin
    foreach v_arg in array i_args[1:] loop
        if v_arg not in ('SKIP', 'backup')
           and v_arg !~ '^(ignore|pkey|when|ev_type|ev_data|ev_extra[1-4])=' then
            raise exception 'bad param to pgque trigger: %', v_arg using errcode = 'PQ009';
        end if;
    end loop;
end
$$;
call pgque._allow('pgque_writer', 'pgque.triga_check_args(text[])');

-- triga_pkey returns the key columns of a table in the order of the key.
create or replace function pgque.triga_pkey(i_table oid, i_args text[]) returns text[]
language sql stable as $$
    select coalesce(
        string_to_array(pgque.triga_option(i_args, 'pkey'), ','),
        array(select a.attname::text
              from pg_catalog.pg_index i
              cross join lateral unnest(i.indkey) with ordinality as k(attnum, position)
              join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
              where i.indrelid = i_table and i.indisprimary
              order by k.position))
$$;
call pgque._allow('pgque_writer', 'pgque.triga_pkey(oid, text[])');

-- triga_columns takes a row apart: names, texts as the type's output function writes
-- them, and JSON, where only integers, booleans and timestamps are not strings.
create or replace function pgque.triga_columns(
    i_row anyelement, i_table oid, out names text[], out texts text[], out jsons text[])
language plpgsql as $$
declare
    v_texts text;
    v_jsons text;
begin
    select array_agg(attname::text order by attnum),
           string_agg(format('case when ($1).%1$I is distinct from null then format(''%%s'', ($1).%1$I) end', attname), ', ' order by attnum),
           string_agg(format(case when atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'bool'::regtype,
                                                    'timestamp'::regtype, 'timestamptz'::regtype)
                                  then 'coalesce(to_json(($1).%1$I)::text, ''null'')'
                                  else 'case when ($1).%1$I is distinct from null then to_json(format(''%%s'', ($1).%1$I))::text else ''null'' end'
                             end, attname), ', ' order by attnum)
    into names, v_texts, v_jsons
    from pg_catalog.pg_attribute where attrelid = i_table and attnum > 0 and not attisdropped;
    execute format('select array[%s]::text[], array[%s]::text[]', v_texts, v_jsons) into texts, jsons using i_row;
end
$$;
call pgque._allow('pgque_writer', 'pgque.triga_columns(anyelement, oid)');

-- triga_urlencode encodes as web forms do.
create or replace function pgque.triga_urlencode(i_text text) returns text
language sql immutable strict as $$
    select coalesce(string_agg(
        case when chr(b) ~ '[A-Za-z0-9_.-]' and b < 128 then chr(b) when b = 32 then '+' else '%' || lpad(to_hex(b), 2, '0') end,
        '' order by n), '')
    from (select n, get_byte(convert_to(i_text, 'UTF8'), n) as b
          from generate_series(0, octet_length(convert_to(i_text, 'UTF8')) - 1) as n) as bytes
$$;
call pgque._allow('pgque_writer', 'pgque.triga_urlencode(text)');

-- triga_data writes the columns in one of the formats.
create or replace function pgque.triga_data(
    i_format text, i_op text, i_names text[], i_texts text[], i_jsons text[], i_old_texts text[], i_pkey text[], i_ignored text[])
returns text
language plpgsql as $$
declare
    v_changed text;
    v_key text;
begin
    if i_format = 'json' then
        return '{' || (select string_agg(to_json(name)::text || ':' || json, ',' order by n)
                       from unnest(i_names, i_jsons) with ordinality as c(name, json, n) where name <> all (i_ignored)) || '}';
    elsif i_format = 'url' then
        return (select string_agg(pgque.triga_urlencode(name) || coalesce('=' || pgque.triga_urlencode(value), ''), '&' order by n)
                from unnest(i_names, i_texts) with ordinality as c(name, value, n) where name <> all (i_ignored));
    elsif i_op = 'INSERT' then
        return (select format('(%s) values (%s)', string_agg(quote_ident(name), ',' order by n),
                              string_agg(coalesce(ltrim(quote_literal(value)), 'null'), ',' order by n))
                from unnest(i_names, i_texts) with ordinality as c(name, value, n) where name <> all (i_ignored));
    end if;
    select string_agg(quote_ident(name) || '=' || ltrim(quote_literal(value)), ' and ' order by array_position(i_pkey, name))
    into v_key from unnest(i_names, i_texts) as c(name, value) where name = any (i_pkey);
    if i_op = 'DELETE' then
        return v_key;
    end if;
    select string_agg(quote_ident(name) || '=' || coalesce(ltrim(quote_literal(value)), 'NULL'), ',' order by n)
    into v_changed
    from unnest(i_names, i_texts, i_old_texts) with ordinality as c(name, value, old, n)
    where name <> all (i_ignored) and value is distinct from old;
    -- An update that changes nothing is an update nevertheless.
    return coalesce(v_changed, (select quote_ident(name) || '=' || ltrim(quote_literal(value))
                                from unnest(i_names, i_texts) as c(name, value) where name = i_pkey[1]))
           || ' where ' || v_key;
end
$$;
call pgque._allow('pgque_writer', 'pgque.triga_data(text, text, text[], text[], text[], text[], text[], text[])');

-- triga_expression evaluates an expression over the columns of a row.
create or replace function pgque.triga_expression(i_expression text, i_row anyelement) returns text
language plpgsql as $$
declare
    v_value text;
begin
    execute 'select (' || i_expression || ')::text from (select ($1).*) as row_of_trigger' into v_value using i_row;
    return v_value;
end
$$;
call pgque._allow('pgque_writer', 'pgque.triga_expression(text, anyelement)');

-- triga_type writes the event's type.
create or replace function pgque.triga_type(i_format text, i_op text, i_table oid, i_pkey text[]) returns text
language sql stable as $$
    select case i_format
        when 'json' then format('{"op":"%s","table":[%s,%s],"pkey":[%s]}', i_op, to_json(nspname::text), to_json(relname::text),
                                (select string_agg(to_json(name)::text, ',') from unnest(i_pkey) as name))
        when 'url' then case i_op when 'TRUNCATE' then 'R' else left(i_op, 1) || ':' || array_to_string(i_pkey, ',') end
        else case i_op when 'TRUNCATE' then 'R' else left(i_op, 1) end
        end
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = i_table
$$;
call pgque._allow('pgque_writer', 'pgque.triga_type(text, text, oid, text[])');

create or replace function pgque.triga_table(i_table oid) returns text
language sql stable as $$
    select nspname || '.' || relname
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = i_table
$$;
call pgque._allow('pgque_writer', 'pgque.triga_table(oid)');

-- triga_row_event sends the event of one row; i_old is i_new unless it is an update.
create or replace function pgque.triga_row_event(
    i_format text, i_op text, i_table oid, i_args text[], i_new anyelement, i_old anyelement)
returns void
language plpgsql as $$
declare
    v_ignored text[] := coalesce(string_to_array(pgque.triga_option(i_args, 'ignore'), ','), '{}');
    v_pkey text[] := pgque.triga_pkey(i_table, i_args);
    v_new record;
    v_old record;
    v_when text := pgque.triga_option(i_args, 'when');
    v_fields text[];
    v_option text;
begin
    perform pgque.triga_check_args(i_args);
    select * into v_new from pgque.triga_columns(i_new, i_table);
    v_old := v_new;
    if i_op <> 'INSERT' and cardinality(v_pkey) = 0 then
        raise exception 'Update/Delete on table without pkey' using errcode = '0A000';
    end if;
    if i_op = 'UPDATE' then
        select * into v_old from pgque.triga_columns(i_old, i_table);
        if v_old.texts is distinct from v_new.texts
           and not exists (select from unnest(v_new.names, v_new.texts, v_old.texts) as c(name, value, old)
                           where name <> all (v_ignored) and value is distinct from old) then
            return;
        end if;
        if i_format = 'sql' and exists (select from unnest(v_new.names, v_new.texts, v_old.texts) as c(name, value, old)
                                        where name = any (v_pkey) and value is distinct from old) then
            raise exception 'primary key update not allowed' using errcode = '0A000';
        end if;
    end if;
    if v_when is not null then
        v_when := pgque.triga_expression(v_when, i_new);
        if v_when is null then
            raise exception 'when= should not be NULL' using errcode = 'PQ009';
        elsif not v_when::boolean then
            return;
        end if;
    end if;
    v_fields := array[
        pgque.triga_type(i_format, i_op, i_table, v_pkey),
        pgque.triga_data(i_format, i_op, v_new.names, v_new.texts, v_new.jsons, v_old.texts, v_pkey, v_ignored),
        pgque.triga_table(i_table),
        case when i_op = 'UPDATE' and 'backup' = any (i_args) then
            pgque.triga_data(case i_format when 'sql' then 'url' else i_format end, i_op, v_old.names, v_old.texts, v_old.jsons,
                             v_old.texts, v_pkey, v_ignored) end,
        null, null];
    for i in 1 .. 6 loop
        v_option := pgque.triga_option(i_args, (array['ev_type', 'ev_data', 'ev_extra1', 'ev_extra2', 'ev_extra3', 'ev_extra4'])[i]);
        if v_option is not null then
            v_fields[i] := pgque.triga_expression(v_option, i_new);
        end if;
    end loop;
    perform pgque.insert_event(i_args[0], v_fields[1], v_fields[2], v_fields[3], v_fields[4], v_fields[5], v_fields[6]);
end
$$;
call pgque._allow('pgque_writer', 'pgque.triga_row_event(text, text, oid, text[], anyelement, anyelement)');

create or replace function pgque.triga_truncate_event(i_format text, i_table oid, i_args text[]) returns void
language plpgsql as $$
begin
    perform pgque.triga_check_args(i_args);
    perform pgque.insert_event(i_args[0], pgque.triga_type(i_format, 'TRUNCATE', i_table, pgque.triga_pkey(i_table, i_args)),
                               case i_format when 'json' then '{}' else '' end, pgque.triga_table(i_table), null, null, null);
end
$$;
call pgque._allow('pgque_writer', 'pgque.triga_truncate_event(text, oid, text[])');
