"""Who is called next, and who talks to whom. Pure files: pacing, agent_states. Services: engine, agent_desk."""
