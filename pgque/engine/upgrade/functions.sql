-- Functions that older versions had under other names, or with other arguments.
drop function if exists pgque._allow_reading(text);
drop function if exists pgque._receive(text, text, integer, bigint);
drop function if exists pgque._receive_page(pgque.subscription, integer, bigint);
