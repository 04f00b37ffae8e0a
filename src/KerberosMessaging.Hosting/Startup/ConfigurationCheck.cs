using System.ComponentModel.DataAnnotations;
using System.Reflection;
using KerberosMessaging.Hosting.Admin;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace KerberosMessaging.Hosting.Startup;

/// <summary>
/// Looks at all options of a server before anything is made or opened, and names everything that is wrong at once: whoever mends a
/// configuration should not have to start the server for each mistake of it.
/// </summary>
public static class ConfigurationCheck
{
    private const string Name = "configuration";

    /// <summary>Checks the configuration from all its sources.</summary>
    /// <param name="builder">The server being built, with its configuration complete.</param>
    /// <param name="sections">The server's own sections. Those of every server are known.</param>
    /// <exception cref="OptionsValidationException">Something is wrong: an option that does not exist, a value of a wrong type or out of bounds.</exception>
    public static void CheckConfiguration(this WebApplicationBuilder builder, params ReadOnlySpan<(string Section, Type Options)> sections)
    {
        ArgumentNullException.ThrowIfNull(builder);

        var data = new DataOptions();
        var errors = new List<string>();
        foreach (var (section, type) in OptionSections.With(sections))
        {
            var options = type == typeof(DataOptions) ? data : Activator.CreateInstance(type)!;
            if (options is AdminOptions admin)
            {
                // As it is when nobody names one; where the data folder is does not matter here.
                admin.TokenHashFile = "admin-token.hash";
            }

            errors.AddRange(Check(builder.Configuration.GetSection(section), options));
        }

        if (MasterKeySource.Problem(data) is { } problem)
        {
            errors.Add(problem);
        }

        if (errors.Count > 0)
        {
            throw new OptionsValidationException(Name, typeof(WebApplicationBuilder), errors);
        }
    }

    private static List<string> Check(IConfigurationSection section, object options)
    {
        var errors = new List<string>();
        foreach (var given in section.GetChildren())
        {
            if (OptionSections.Find(options.GetType(), given.Key) is not { } property)
            {
                errors.Add($"There is no option {given.Path}.");
            }
            else if (Read(given, property, options) is { } error)
            {
                errors.Add(error);
            }
        }

        foreach (var property in OptionSections.Properties(options.GetType()))
        {
            var results = new List<ValidationResult>();
            var context = new ValidationContext(options) { MemberName = property.Name, DisplayName = $"{section.Path}:{property.Name}" };
            Validator.TryValidateProperty(property.GetValue(options), context, results);
            errors.AddRange(results.Select(static result => result.ErrorMessage!));
        }

        if (options is IValidatableObject whole)
        {
            errors.AddRange(whole.Validate(new ValidationContext(options)).Select(result => $"{section.Path}: {result.ErrorMessage}"));
        }

        return errors;
    }

    // As the binder does: an empty value leaves the default of what is no text.
    private static string? Read(IConfigurationSection given, PropertyInfo property, object options)
    {
        try
        {
            if (given.Get(property.PropertyType) is { } value)
            {
                property.SetValue(options, value);
            }

            return null;
        }
        catch (InvalidOperationException)
        {
            return $"{given.Path} cannot be '{given.Value}'.";
        }
    }
}
