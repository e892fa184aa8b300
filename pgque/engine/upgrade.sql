-- The queue engine, from any older version of it to this one, in place.
--
--     psql --single-transaction --set ON_ERROR_STOP=1 --file upgrade.sql
--
-- Events, cursors, settings, owners and grants stay. Producers and consumers may go on:
-- they wait for a moment, and find the new functions when they have waited. Helpers that
-- only older versions had stay, since a call of theirs may be under way.

\ir roles.sql
\ir upgrade/owner.sql
\ir upgrade/columns.sql
\ir tables.sql
\ir routines.sql
\ir upgrade/queues.sql
