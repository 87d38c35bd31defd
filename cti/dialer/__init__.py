"""Who is called next, and who talks to whom. Pure: matching, owners, retry, teams, agent_states."""
