"""What a role thinks with: the rehearsal simulator, endpoints, people, scripts, replays."""
