-- The version of these files.
insert into pgque.config (engine_version) values ('1.4.0')
on conflict (singleton) do update
    set engine_version = excluded.engine_version, upgraded_at = clock_timestamp()
    where config.engine_version <> excluded.engine_version;

-- version() tells the version of the installed engine, such as 1.4.0.
create or replace function pgque.version() returns text
language sql stable security definer
set search_path = pgque, pg_catalog, pg_temp
as $$
    select engine_version from pgque.config
$$;
call pgque._allow('pgque_reader', 'pgque.version()');
