-- _allow(role, function) lets a role execute a function. Roles are optional: where
-- the role does not exist there is nobody to allow.
create or replace procedure pgque._allow(i_role text, i_function text)
language plpgsql as $$
begin
    if to_regrole(i_role) is not null then
        execute format('grant execute on function %s to %I', i_function::regprocedure, i_role);
    end if;
end
$$;
