-- The rest of the upgrade is the schema's owner's work, whoever began it: what is new
-- shall belong to the same role as what was there, since the functions run with the
-- rights of their owner.
do $$
declare
    v_owner name := (select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'pgque');
begin
    if v_owner <> current_user then
        execute format('set local role %I', v_owner);
    end if;
end
$$;
