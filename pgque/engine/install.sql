-- The queue engine, from an empty database to a working one.
--
--     psql --single-transaction --set ON_ERROR_STOP=1 --file install.sql
--
-- Package pgque runs the same list (Install): all of it where there is no pgque
-- schema yet, routines.sql alone where the engine is installed already.

\ir tables.sql
\ir routines.sql
