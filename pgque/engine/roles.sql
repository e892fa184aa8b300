-- Three roles: readers consume, writers produce, admins do both and manage.
-- Readers and writers are siblings: neither may do what the other may.
--
-- They are optional. Roles belong to the cluster; an installer that may not create
-- them goes without, and only the owner of the schema can use the engine until
-- somebody who may creates them and installs again.
do $$
declare
    v_role text;
begin
    foreach v_role in array array['pgque_reader', 'pgque_writer', 'pgque_admin'] loop
        if to_regrole(v_role) is not null then
            continue;
        end if;
        begin
            execute format('create role %I nologin', v_role);
        exception
            when insufficient_privilege then
                raise notice 'role % is missing and may not be created here', v_role;
            when duplicate_object or unique_violation then
                null; -- another database of this cluster was faster
        end;
    end loop;
end
$$;

do $$
declare
    v_role text;
begin
    foreach v_role in array array['pgque_reader', 'pgque_writer'] loop
        continue when to_regrole(v_role) is null or to_regrole('pgque_admin') is null
            or exists (select from pg_auth_members
                       where roleid = to_regrole(v_role) and member = to_regrole('pgque_admin'));
        begin
            execute format('grant %I to pgque_admin', v_role);
        exception
            when insufficient_privilege then
                raise notice 'role % could not be granted to pgque_admin', v_role;
            when unique_violation or internal_error then
                null; -- another database of this cluster was faster
        end;
    end loop;
end
$$;
