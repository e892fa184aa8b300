-- The queue engine, from an empty database to a working one.
--
--     psql --single-transaction --set ON_ERROR_STOP=1 --file install.sql
--
-- Package pgque runs the same list (Install): this file where there is no schema pgque
-- yet, upgrade.sql where an older version is installed, and routines.sql alone to put
-- the functions of this version right.

create schema pgque;

\ir tables.sql
\ir routines.sql
