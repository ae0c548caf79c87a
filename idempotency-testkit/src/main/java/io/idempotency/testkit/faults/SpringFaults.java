package io.idempotency.testkit.faults;

import java.lang.reflect.Modifier;
import java.sql.Connection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.aopalliance.intercept.MethodInterceptor;
import org.springframework.aop.framework.AopConfigException;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.test.context.ContextCustomizer;
import org.springframework.test.context.MergedContextConfiguration;

/** Gives the data sources of an application connections that break. All contexts that it customizes are alike, so they share the context cache. */
record SpringFaults() implements ContextCustomizer {

    private static final String STATE = "io.idempotency.testkit.faults";

    /**
     * What belongs to one application.
     *
     * @param wires the {@link SpringWire} of each container that was prepared; not by their types, because an application may have no Kafka
     */
    record State(Probe probe, Map<Object, Object> wires) {}

    static State of(ApplicationContext context) {
        return context.getBean(STATE, State.class);
    }

    @Override
    public void customizeContext(ConfigurableApplicationContext context, MergedContextConfiguration merged) {
        Probe probe = new Probe();
        context.getBeanFactory().registerSingleton(STATE, new State(probe, new ConcurrentHashMap<>()));
        // The starter tells it what became of each delivery.
        context.getBeanFactory().registerSingleton(STATE + ".probe", probe);
        context.getBeanFactory().addBeanPostProcessor(new DataSources(probe));
    }

    private record DataSources(Probe probe) implements BeanPostProcessor {

        @Override
        public Object postProcessAfterInitialization(Object bean, String name) {
            return bean instanceof DataSource ? faulty(bean) : bean;
        }

        /** Keeps the class if it can, because others may ask for a bean of that class. */
        private Object faulty(Object bean) {
            ProxyFactory proxies = new ProxyFactory(bean);
            proxies.addAdvice((MethodInterceptor) call -> {
                Object result = call.proceed();
                return result instanceof Connection connection ? FaultyConnection.of(connection, probe) : result;
            });
            proxies.setProxyTargetClass(!Modifier.isFinal(bean.getClass().getModifiers()));
            try {
                return proxies.getProxy();
            } catch (AopConfigException e) {
                proxies.setProxyTargetClass(false);
                return proxies.getProxy();
            }
        }
    }
}
