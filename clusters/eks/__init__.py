"""The provider `eks`: throwaway clusters in an AWS account, found again by tag and name, never by remembered ids."""
