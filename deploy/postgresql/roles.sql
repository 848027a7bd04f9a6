-- The two roles of the service, for a database of its own. A superuser runs this file once, before the first migration:
--
--   psql --no-psqlrc --set=ON_ERROR_STOP=1 --dbname=wim_match --file=deploy/postgresql/roles.sql
--
-- Give both roles passwords with \password. `wim_owner` migrates: `wim-match admin migrate --database postgres://wim_owner@…`.
-- `wim_match` is the role of `wim-match serve`: it owns nothing, and the policies of the tables bind it. They hide what belongs to
-- other organisations than those of a call, whatever a statement asks for.
CREATE ROLE wim_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
CREATE ROLE wim_match LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO wim_owner;
GRANT USAGE ON SCHEMA public TO wim_match;
-- Whatever the owner creates from now on, the service reads and changes.
ALTER DEFAULT PRIVILEGES FOR ROLE wim_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO wim_match;
